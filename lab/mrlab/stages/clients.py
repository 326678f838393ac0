# SPDX-License-Identifier: Apache-2.0
"""Real clients, unmodified, under mrtrace in the lab: rdma-core's ibv_rc_pingpong (pinned, on demand, with prefetch, implicit),
librpma on an fsdax file, and rdma-core's own Python tests of on-demand paging and registration. Every failed operation must be
explained, and nothing reported that did not fail."""

import glob
import gzip
import os
import re
import shutil
import subprocess
import tempfile

from mrlab import guest, kernels
from mrlab.files import LAB, own_text, say
from mrlab.judges import clients
from mrlab.results import Check
from mrlab.stage import Stage

HERE = os.path.join(LAB, "clients")
PYVERBS = "/usr/lib/python3/dist-packages/pyverbs"
TESTS = "/usr/share/doc/rdma-core/tests"
# Of the standard library, what no test needs.
LEFT_OUT = ("test", "idlelib", "tkinter", "ensurepip", "lib2to3", "pydoc_data", "turtledemo", "config-*", "__pycache__")


def output_of(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout


def tests_of_rdma_core(work, stage):
    """The directory of rdma-core's tests. They are documentation to dpkg, which may leave that out."""
    if os.path.exists(os.path.join(TESTS, "run_tests.py")):
        return TESTS
    done = subprocess.run("apt-get -q download python3-pyverbs && dpkg -x python3-pyverbs_*.deb package", shell=True, cwd=work,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    if done.returncode:
        stage.fail("rdma-core's tests (in the package python3-pyverbs) cannot be had")
    return os.path.join(work, "package" + TESTS)


def clients_of(work, stage):
    """(path here, path there) of everything that the clients need."""
    rpma = os.path.join(work, "rpma")
    if subprocess.run(["gcc", "-O2", "-Wall", "-o", rpma, os.path.join(HERE, "rpma.c"), "-lrpma"], check=False).returncode:
        stage.fail('librpma-dev is missing; run "make setup"')
    if not os.path.isdir(PYVERBS):
        stage.fail('python3-pyverbs is missing; run "make setup"')
    library = output_of("/usr/bin/python3", "-c", 'import sysconfig; print(sysconfig.get_path("stdlib"))').strip()
    python, dist, tests = (os.path.join(work, name) for name in ("python", "dist", "tests"))
    shutil.copytree(library, python, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
    shutil.copytree(PYVERBS, os.path.join(dist, "pyverbs"), symlinks=True)
    inner = os.path.join(tests, "tests")
    shutil.copytree(tests_of_rdma_core(work, stage), inner)
    for path in glob.glob(os.path.join(inner, "*.gz")):
        with gzip.open(path) as packed, open(path[:-len(".gz")], "wb") as plain:
            shutil.copyfileobj(packed, plain)
        os.unlink(path)
    with open(os.path.join(inner, "run_tests.py"), encoding="utf-8") as file:
        text = file.read().replace("'__init__.py')", "'tests', '__init__.py')", 1)
    os.unlink(os.path.join(inner, "run_tests.py"))
    with open(os.path.join(tests, "run_tests.py"), "w", encoding="utf-8") as file:
        file.write(text)
    shutil.copy(os.path.join(inner, "args_parser.py"), tests)
    adds = [(rpma, "/usr/bin/rpma"), (os.path.realpath("/usr/bin/python3"), "/usr/bin/python3"), (python, library),
            (dist, "/usr/lib/python3/dist-packages"), (tests, "/usr/share/rdma-core-tests")]
    # Libraries of the extension modules, which the image does not look for by itself.
    modules = [path for place in (dist, os.path.join(python, "lib-dynload")) for path in glob.glob(os.path.join(place, "**/*.so"), recursive=True)]
    return adds + [(path, path) for path in sorted(set(re.findall(r"=> (/\S*) \(0x", output_of("ldd", *modules))))]


def run_kernel(kernel, stage, adds):
    say(kernel)
    directory = kernels.fetch(kernel)
    if not directory:
        stage.results.add(kernel, Check("kernel", "it can be had", skipped="the archive does not have it"))
        return
    place = stage.path(kernel)
    status = guest.boot(directory, own_text("clients/guest"), place, stage.programs.adds() + adds, timeout=900, smp=4, mem="3G")
    stage.boots(kernel, status)
    odp, checks = clients.judged(stage.programs.mrtrace, place)
    print(f"{kernel}: on-demand paging: {'yes' if odp else 'no'}")
    stage.results.add(kernel, *checks)


def main():
    stage = Stage("clients/run", __doc__)
    stage.parser.add_argument("kernels", nargs="*", default=["newest", "6.18", "6.1"], metavar="KERNEL", help="default: newest 6.18 6.1")
    stage.parser.add_argument("--out", metavar="DIR", help="keep recordings there (default: removed when nothing failed)")
    options = stage.parse()
    stage.begin(options.out)
    with tempfile.TemporaryDirectory(prefix="mrtrace-clients-work.") as work:
        adds = clients_of(work, stage)
        for kernel in options.kernels:
            run_kernel(kernel, stage, adds)
    return stage.end()
