/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading kernel memory. Where the kernel lets programs do so by plain loads
 * (bpf_rdonly_cast() to memory of no type, 6.17 and later) that is a handful of
 * instructions; bpf_probe_read_kernel() is a hundred. Either way what cannot be
 * read is 0.
 */
#ifndef MRTRACE_READ_H
#define MRTRACE_READ_H

#define LOAD(type, from, i) (((const volatile type *)bpf_rdonly_cast(from, 0))[i])

/*
 * Copies `size` bytes, a constant: 1, 2, 4, or a multiple of 8. Returns 0, or the error
 * of bpf_probe_read_kernel(); plain loads always return 0.
 */
static __always_inline long read_kernel(void *to, u32 size, const void *from)
{
	u64 *words = to;
	u32 i;

	if (!config.plain_loads || (size & 7 && size & (size - 1)) || size > 128)
		return bpf_probe_read_kernel(to, size, from);
	if (size == 1)
		*(u8 *)to = LOAD(u8, from, 0);
	else if (size == 2)
		*(u16 *)to = LOAD(u16, from, 0);
	else if (size == 4)
		*(u32 *)to = LOAD(u32, from, 0);
	else
#pragma unroll
		for (i = 0; i < size / 8; i++)
			words[i] = LOAD(u64, from, i);
	return 0;
}

/* BPF_CORE_READ() reads with this. */
#undef bpf_core_read
#define bpf_core_read(to, size, from) \
	read_kernel(to, size, (const void *)__builtin_preserve_access_index(from))

/* A bit of a struct: BPF_CORE_READ_BITFIELD_PROBED() reads but the bytes that hold it. */
#define READ_BIT(s, field)                                                                   \
	({                                                                                   \
		u64 word = 0;                                                                \
                                                                                             \
		if (config.plain_loads) {                                                    \
			read_kernel(&word, sizeof(word),                                     \
				    (const char *)(s) + __CORE_RELO(s, field, BYTE_OFFSET)); \
			word <<= __CORE_RELO(s, field, LSHIFT_U64);                          \
			word >>= __CORE_RELO(s, field, RSHIFT_U64);                          \
		} else {                                                                     \
			word = BPF_CORE_READ_BITFIELD_PROBED(s, field);                      \
		}                                                                            \
		word;                                                                        \
	})

/* The name of a task, which fills its 16 bytes up with NUL where it can be read so. */
static __always_inline long read_comm(u8 *to, const void *comm)
{
	return config.plain_loads ? read_kernel(to, 16, comm)
				  : bpf_probe_read_kernel_str(to, 16, comm);
}

#endif
