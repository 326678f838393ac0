/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A loader: all that libbpf must be told to load one BPF object, and what libbpf says meanwhile. There is
 * one at a time: another thread that wants one waits.
 */
#ifndef CLOADER_H
#define CLOADER_H

#include <bpf/libbpf.h>
#include <stddef.h>
#include <stdint.h>

struct cbpf_loader;

/// NULL without memory. From here on libbpf prints nothing; what it says in this thread is the loader's log.
/// To be freed by the same thread.
struct cbpf_loader *cbpf_loader_new(void);

/// After the object has been loaded, or has failed to.
void cbpf_loader_free(struct cbpf_loader *loader);

/// What libbpf has said so far, NUL-terminated, oldest lines cut.
const char *cbpf_loader_log(struct cbpf_loader *loader);

/// fentry and fexit programs of `function` are for its id among the kernel's types, or, where `module` is not 0,
/// among those that this descriptor stands for. Without any target, libbpf looks for all of them; with some, a
/// program for another function is refused. 0, or -errno.
int cbpf_loader_add_target(struct cbpf_loader *loader, const char *function, uint32_t id,
			   int module);

/// Without the targets so far.
void cbpf_loader_forget_targets(struct cbpf_loader *loader);

/// Calls of the helper number `placeholder` become calls of the kernel function with the BTF id `id`. A program
/// that can reach a placeholder without a name is refused.
void cbpf_loader_name_call(struct cbpf_loader *loader, int32_t placeholder, uint32_t id);

/// Iterators are for this function of the kernel, by its id among the types.
void cbpf_loader_set_iterator(struct cbpf_loader *loader, uint32_t id);

/// Programs are pruned by what is in this map when they are loaded, kprobes and raw tracepoints too: kernels
/// before 5.13 refuse programs that name a function without calling it, even where they never come there.
void cbpf_loader_set_constants(struct cbpf_loader *loader, const struct bpf_map *map);

/// An object in memory, to be loaded while the loader lives. `types`: the path of a file with the kernel's types;
/// NULL: libbpf looks for them. NULL, and errno, where it fails.
struct bpf_object *cbpf_loader_open(struct cbpf_loader *loader, const void *image, size_t size,
				    const char *name, const char *types);

/// A descriptor of the types of a module, or -1: it has none, or CAP_SYS_ADMIN is missing.
int cbpf_module_types(const char *module);

/// libbpf prints nothing from here on. For what loads an object without a loader.
void cbpf_silence(void);

#endif
