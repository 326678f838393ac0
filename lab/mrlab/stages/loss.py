# SPDX-License-Identifier: Apache-2.0
"""A ring buffer too small for a burst of failing operations, on real kernels: what is lost is counted exactly, and every output says so.

Beside mrtrace's own numbers stand the kernel's (tracefs, kprobe_profile: how often each function was called)."""

import os

from mrlab import guest, kernels
from mrlab.files import text_of
from mrlab.judges.loss import Run
from mrlab.results import Check
from mrlab.stage import Stage

# Counted by the kernel too. Not those with a gate, of which mrtrace counts what concerns it.
FUNCTIONS = ("ib_uverbs_reg_mr", "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR", "ib_umem_get", "__ib_umem_get_va", "ib_umem_odp_get",
             "ib_umem_odp_map_dma_and_lock", "hmm_range_fault", "hmm_range_fault_locked", "hmm_vma_walk_pmd", "hmm_vma_walk_hole",
             "hmm_vma_walk_test")
# name, options of record, ring too small
RUNS = (("fentry", "--ring-size 4", True), ("kprobe", "--ring-size 4 --no-hook fentry", True), ("roomy", "", False))


def burst(features):
    if {"odp", "advise"} <= features:
        return "workload crowd crowd crowd"
    # Each a process of its own, all at once.
    return "for i in 1 2 3 4 5 6 7 8; do for n in 1 2 3 4; do workload pin-hole pin-protnone pin-readonly; done & done; wait"


def guest_script(features):
    lines = ["events=/sys/kernel/tracing/kprobe_events"]
    for name, options, small in RUNS:
        work = burst(features) if small else "workload ok-pin-anon pin-fsdax"
        here = f"/out/{name}"
        lines += [f"mkdir {here}", "echo >$events"]
        lines += [f"echo 'p:lab/{function} {function}' >>$events 2>/dev/null" for function in FUNCTIONS]
        lines += ["echo 1 >/sys/kernel/tracing/events/lab/enable",
                  f"mrtrace record --strict {options} -o {here}/recording -- sh -c '{work}' >{here}/stdout 2>{here}/stderr",
                  f"echo $? >{here}/status", f"cp /sys/kernel/tracing/kprobe_profile {here}/profile",
                  "echo 0 >/sys/kernel/tracing/events/lab/enable"]
    return "\n".join(lines) + "\n"


def run_kernel(kernel, stage):
    directory = stage.kernel(kernel)
    if not directory:
        return
    place = stage.path(kernel)
    status = guest.boot(directory, guest_script(kernels.features_of(kernel, directory)), place, stage.programs.adds(), timeout=1500, smp=guest.CPUS)
    stage.boots(kernel, status)
    for name, _, small in RUNS:
        here = os.path.join(place, name)
        if os.path.isdir(os.path.join(here, "recording")):
            stage.results.add(kernel, *Run(name, here, stage.programs.mrtrace, small).all())
        else:
            stage.results.add(kernel, Check(name, "records", [text_of(here, "stderr")[-500:] or "no recording"]))


def main():
    stage = Stage("loss", __doc__, on_kernels=True)
    stage.keep_option()
    options = stage.parse()
    stage.needs("babeltrace2")
    stage.begin(options.keep)
    for kernel in options.kernels:
        run_kernel(kernel, stage)
    return stage.end()
