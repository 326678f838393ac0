# SPDX-License-Identifier: Apache-2.0
"""Reads what `probes profile` has sampled: how much of the time went where, by the kernel's call chains.

A sample belongs to the first part that has one of its functions. They are entries of system calls, or functions near them
that are called from another file and so are functions in every kernel; what fits nowhere is "other".
"""
import bisect
import collections
import struct

LOST, SAMPLE = 2, 9
MARKERS = (1 << 64) - 4096  # call chains have marks like PERF_CONTEXT_KERNEL between their addresses

PARTS = {
    "verifier and JIT": {"bpf_prog_load", "bpf_check", "bpf_prog_select_runtime"},
    "attaching": {"bpf_raw_tracepoint_open", "bpf_raw_tp_link_attach", "bpf_tracing_prog_attach", "link_create",
                  "bpf_trampoline_link_prog", "bpf_trampoline_get", "bpf_probe_register", "bpf_kprobe_multi_link_attach",
                  "__do_sys_perf_event_open", "__se_sys_perf_event_open", "__x64_sys_perf_event_open", "perf_ioctl"},
    "symbols and types": {"vfs_read", "ksys_read", "ksys_pread64", "btf_get_info_by_fd", "do_sys_openat2", "do_sys_open"},
    "maps": {"__sys_bpf", "__do_sys_bpf", "__se_sys_bpf", "__x64_sys_bpf"},
    "memory": {"exc_page_fault", "asm_exc_page_fault", "vm_mmap_pgoff", "do_mmap", "__vm_munmap", "__do_munmap",
               "do_vmi_munmap", "__x64_sys_brk", "__do_sys_brk", "do_madvise", "mmput", "do_exit"},
}
USER, WAITING, OTHER = "in user space", "waiting", "other"
NAMES = [USER, *PARTS, WAITING, OTHER]


class Symbols:
    """/proc/kallsyms."""

    def __init__(self, text):
        found = sorted((int(words[0], 16), words[2]) for words in map(str.split, text.splitlines()))
        self.addresses, self.names = [one for one, _ in found], [name for _, name in found]
        if not found or not self.addresses[-1]:
            raise ValueError("the kernel's symbols have no addresses")

    def name(self, address):
        at = bisect.bisect(self.addresses, address) - 1
        return self.names[at] if at >= 0 else hex(address)


def chains(data):
    """Process and addresses of each sample, the innermost first. No sample may be missing."""
    at = 0
    while at < len(data):
        kind, _, size = struct.unpack_from("<IHH", data, at)
        if size < 8 or at + size > len(data):
            raise ValueError(f"the record at {at} has {size} bytes")
        if kind == LOST:
            raise ValueError("samples are lost")
        if kind == SAMPLE:
            _, process, _, count = struct.unpack_from("<QIIQ", data, at + 8)
            addresses = struct.unpack_from(f"<{count}Q", data, at + 32)
            yield process, [one for one in addresses if one < MARKERS]
        at += size


def part(process, functions):
    """`functions`: names in the kernel, none for a sample in user space."""
    if process == 0:
        return WAITING
    if not functions:
        return USER
    return next((name for name, those in PARTS.items() if not those.isdisjoint(functions)), OTHER)


def shares(data, symbols):
    """What part of the samples each of NAMES has, and the functions that are in most samples of "other"."""
    found, others = collections.Counter(), collections.Counter()
    for process, addresses in chains(data):
        functions = {symbols.name(one) for one in addresses if one >> 63}
        where = part(process, functions)
        found[where] += 1
        if where == OTHER:
            others.update(functions)
    total = sum(found.values())
    if total == 0:
        raise ValueError("there is no sample")
    return {name: found[name] / total for name in NAMES}, others.most_common(20)
