# SPDX-License-Identifier: Apache-2.0
"""Kernels of the lab: where one is after lab/fetch, its version, and what its soft-RoCE can do."""

import lzma
import os
import re
import subprocess

from mrlab.files import LAB


def fetch(kernel):
    """The kernel's directory, or None (the reason has been printed)."""
    done = subprocess.run([os.path.join(LAB, "fetch"), kernel], stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout.strip().splitlines()[-1] if done.returncode == 0 and done.stdout.strip() else None


def version_of(directory):
    """(7, 3) of a kernel's directory."""
    with open(os.path.join(directory, "release"), encoding="utf-8") as file:
        return version(file.read())


def version(text):
    return tuple(int(part) for part in re.match(r"(\d+)\.(\d+)", text.strip()).groups())


class Version(tuple):
    """The kernel's version among its features: needs such as >=6.13 and <7.0 ask for it."""

    def __new__(cls, numbers):
        return super().__new__(cls, numbers)

    def meets(self, need):
        wanted = version(need.lstrip("<>="))
        return self >= wanted if need.startswith(">=") else self < wanted


def features_of(kernel, directory):
    """What this kernel's soft-RoCE can do, seen in the module itself: distributions backport."""
    if kernel == "fsdax-2021":
        return {"fsdax-2021", "odp", "advise", "rawpfn", Version((6, 1))}
    module = None
    for root, _, files in os.walk(os.path.join(directory, "modules")):
        for name in files:
            if name.startswith("rdma_rxe.ko"):
                module = os.path.join(root, name)
    if module is None:
        raise ValueError(f"{directory} has no rdma_rxe module")
    if module.endswith(".xz"):
        with lzma.open(module) as file:
            code = file.read()
    elif module.endswith(".zst"):
        code = subprocess.run(["zstd", "-qdc", module], check=True, stdout=subprocess.PIPE).stdout
    else:
        with open(module, "rb") as file:
            code = file.read()
    features = {"stock", Version(version_of(directory))}
    if b"rxe_odp_mr_init_user" in code:
        features |= {"odp", "write-fault"}
    if b"rxe_ib_advise_mr" in code:
        features.add("advise")
    return features
