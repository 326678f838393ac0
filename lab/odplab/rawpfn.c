// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/rawpfn: a mapping of pages that have no struct page, in a VMA that is
 * neither VM_IO nor VM_PFNMAP, so that only the PTEs tell: they are special
 * and not devmap. The pages are those of the memory BAR of QEMU's
 * pci-testdev: reads give a constant, writes are lost.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/version.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#include <linux/pfn_t.h>
#endif

#include "odplab.h"

#define RAWPFN_DEVICE 0x0005 /* of PCI_VENDOR_ID_REDHAT */
#define RAWPFN_BAR    2

static struct pci_dev *rawpfn_pdev;
static unsigned long rawpfn_first;
static unsigned long rawpfn_count;

static vm_fault_t rawpfn_fault(struct vm_fault *vmf)
{
	unsigned long pfn = rawpfn_first + vmf->pgoff;

	if (vmf->pgoff >= rawpfn_count)
		return VM_FAULT_SIGBUS;
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
	/* PFN_DEV without PFN_MAP: not devmap, so the PTE becomes a special one. */
	return vmf_insert_mixed(vmf->vma, vmf->address,
				__pfn_to_pfn_t(pfn, PFN_DEV));
#else
	return vmf_insert_mixed(vmf->vma, vmf->address, pfn);
#endif
}

static const struct vm_operations_struct rawpfn_vm_ops = {
	.fault = rawpfn_fault,
};

static int rawpfn_mmap(struct file *file, struct vm_area_struct *vma)
{
	const unsigned long flags = VM_MIXEDMAP | VM_DONTEXPAND | VM_DONTDUMP;

	/* A private copy of a page would be anonymous memory. */
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
	vma->vm_flags |= flags;
#else
	vm_flags_set(vma, flags);
#endif
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_ops = &rawpfn_vm_ops;
	return 0;
}

static const struct file_operations rawpfn_fops = {
	.owner = THIS_MODULE,
	.mmap = rawpfn_mmap,
};

static struct miscdevice rawpfn_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "rawpfn",
	.fops = &rawpfn_fops,
	.mode = 0600,
};

/* Only a pci-testdev with its memory BAR has pages to give; without it there is no device, and that is no error. */
int odplab_rawpfn_init(void)
{
	struct pci_dev *pdev;
	int err;

	pdev = pci_get_device(PCI_VENDOR_ID_REDHAT, RAWPFN_DEVICE, NULL);
	if (!pdev) {
		pr_info("no pci-testdev, so no /dev/rawpfn\n");
		return 0;
	}
	if (!(pci_resource_flags(pdev, RAWPFN_BAR) & IORESOURCE_MEM)) {
		pr_info("pci-testdev has no memory BAR, so no /dev/rawpfn\n");
		goto put;
	}
	rawpfn_first = PHYS_PFN(pci_resource_start(pdev, RAWPFN_BAR));
	rawpfn_count = PHYS_PFN(pci_resource_len(pdev, RAWPFN_BAR));
	if (pfn_valid(rawpfn_first)) {
		pr_info("the BAR has struct pages, so no /dev/rawpfn\n");
		goto put;
	}
	err = misc_register(&rawpfn_device);
	if (err) {
		pci_dev_put(pdev);
		return err;
	}
	/* The reference is kept: the pages must not go away. */
	rawpfn_pdev = pdev;

	return 0;
put:
	pci_dev_put(pdev);
	return 0;
}

void odplab_rawpfn_exit(void)
{
	if (!rawpfn_pdev)
		return;
	misc_deregister(&rawpfn_device);
	pci_dev_put(rawpfn_pdev);
}
