/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Facts that only the kernel's memory holds, for the agent's rules.
 *
 * Hook: none. The agent runs this once (BPF_PROG_TEST_RUN) after loading.
 * Kernels: all; zero_pfn is a variable up to 6.18, after that the page's address
 *   in the kernel image says it.
 * Missing: a special entry cannot be told from one of the zero page, so a cause
 *   that depends on it is not called proved.
 */
#ifndef MRTRACE_FACTS_H
#define MRTRACE_FACTS_H

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct mrt_facts);
} facts SEC(".maps");

SEC("raw_tp/sched_process_fork")
int raw_tp__facts(void *ctx)
{
	struct mrt_facts f = {};
	struct paging p;
	u64 base = 0;
	u32 key = 0;

	paging_of_kernel(&p);
	f.paging_levels = p.pgd_shift == P4D_SHIFT ? 4 : 5;
	if (config.zero_pfn) {
		if (!bpf_probe_read_kernel(&f.zero_pfn, sizeof(f.zero_pfn),
					   (void *)config.zero_pfn))
			f.has |= MRT_FACTS_ZERO_PFN;
	} else if (config.empty_zero_page && config.phys_base) {
		if (!bpf_probe_read_kernel(&base, sizeof(base), (void *)config.phys_base)) {
			f.zero_pfn = (config.empty_zero_page - START_KERNEL_MAP + base) >>
				     PAGE_SHIFT;
			f.has |= MRT_FACTS_ZERO_PFN;
		}
	}
	bpf_map_update_elem(&facts, &key, &f, BPF_ANY);
	return 0;
}

#endif
