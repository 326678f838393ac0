# SPDX-License-Identifier: Apache-2.0
"""What lab/bench/start has measured, its table, and the section of docs/performance.md."""
import json
import os

import performance_page
import profile_reader

KEPT = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "build/bench/start.json")

INTRODUCTION = """
## From start to attached, and the agent's memory

`make bench-lab` measures it (`lab/bench/start`) and writes this section, in the guest described above: billions of
instructions (G) that `mrtrace record -a` takes from its start until the traced command begins. *empty*: what loading programs that
do nothing and attaching them to the same hooks takes, where all of these are fentry, fexit and raw tracepoints. Where they go is
from a boot of its own with a sampling profiler, by the kernel's call chains: *in user space*, the agent's own work and
libbpf's, with CO-RE; *symbols and types*, opening and reading files (/proc/kallsyms, BTF), in the kernel; *maps*, what else bpf()
does; *memory*, page faults, mmap and munmap; *waiting*, the CPU is idle.
"""
MEMORY = """
Resident set of the agent in MB of 1,000,000 bytes. The largest there was (VmHWM), which is while programs are loaded, when it is
attached and after {failures} prefetches that failed; what is resident then: its own (anonymous) memory, and pages of files:
those of the binary, of which what the page cache holds nearby is mapped with each page that is used (in this guest they are on a
tmpfs), and 0.3 MB, the window of the ring buffer. Last, the largest of `mrtrace report` of that recording. The binary is static
and stripped, and has {size} MB.
"""
FAILURES = 1500
RESIDENT = ("RssAnon", "RssFile", "RssShmem")


def kept():
    if not os.path.exists(KEPT):
        return {}
    with open(KEPT, encoding="utf-8") as file:
        return json.load(file)


def keep(kernel, one):
    os.makedirs(os.path.dirname(KEPT), exist_ok=True)
    found = kept()
    found[kernel] = one
    with open(KEPT + ".new", "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1)
    os.rename(KEPT + ".new", KEPT)


def memory():
    """By kernel, the agent's largest resident set until its command's end, and what it had then, in bytes."""
    return {kernel: {"largest": end["VmHWM"] * 1024, "at the end": sum(end[name] for name in RESIDENT) * 1024}
            for kernel, end in ((kernel, one["memory_kb"]["end"]) for kernel, one in kept().items())}


def giga(nanoseconds):
    return f"{nanoseconds / 1e9:.2f}" if nanoseconds is not None else "-"


def megabytes(kilobytes):
    """The cells of a kernel."""
    end = kilobytes["end"]
    return [f"{one * 1024 / 1e6:.1f}" for one in (
        kilobytes["attached"]["VmHWM"], end["VmHWM"], end["RssAnon"], end["RssFile"] + end["RssShmem"], kilobytes["report"])]


def programs(one):
    """A kernel that refuses some has been started with less."""
    return f"{one['programs']}, {one['refused']} refused" if one.get("refused") else str(one["programs"])


def oldest_first(found):
    return sorted(found.values(), key=lambda one: [int(word) for word in one["release"].split("+")[0].split("-")[0].split(".")])


def section():
    found = oldest_first(kept())
    if not found:
        return INTRODUCTION.strip()
    rows = [[f"Linux {one['release']}", giga(one["attach_ns"]), giga(one["empty_ns"]), programs(one)]
            + [giga(one["attach_ns"] * one["shares"][name]) for name in profile_reader.NAMES] for one in found]
    memory = [[f"Linux {one['release']}"] + megabytes(one["memory_kb"]) for one in found]
    newest = found[-1]
    return "\n\n".join([
        INTRODUCTION.strip(),
        performance_page.table([f"G instructions ({newest['date']}, {newest['mrtrace']})", "to attached", "empty", "programs",
                                *profile_reader.NAMES], rows),
        MEMORY.strip().format(failures=f"{FAILURES:,}", size=f"{newest['binary_bytes'] / 1e6:.1f}"),
        performance_page.table(["MB", "attached", "after the failures", "its own", "of files", "report"], memory)])


def write():
    performance_page.replace("start", section())
