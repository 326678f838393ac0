// SPDX-License-Identifier: Apache-2.0
#include "CLoader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

int cbpf_module_types(const char *module)
{
	__u32 id = 0;

	while (!bpf_btf_get_next_id(id, &id)) {
		char name[64] = "";
		struct bpf_btf_info info = {
			.name = (__u64)(unsigned long)name,
			.name_len = sizeof(name),
		};
		__u32 size = sizeof(info);
		int descriptor = bpf_btf_get_fd_by_id(id);

		if (descriptor < 0) {
			if (errno == ENOENT) /* it went meanwhile */
				continue;
			return -1;
		}
		if (!bpf_obj_get_info_by_fd(descriptor, &info, &size) && info.kernel_btf &&
		    strcmp(name, module) == 0)
			return descriptor;
		close(descriptor);
	}
	return -1;
}
