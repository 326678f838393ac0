// SPDX-License-Identifier: Apache-2.0

/// What stands behind a mapping, as it was when the failure was recorded: its file system's rules
/// and room, the pool of huge pages. nil = not read.
package struct BackingEvidence: Equatable, Sendable {
  /// What vma_needs_dirty_tracking() asks of the file system.
  package struct Writes: Equatable, Sendable {
    /// vm_ops->page_mkwrite, vm_ops->pfn_mkwrite are set.
    package var pageMkwrite: Bool
    package var pfnMkwrite: Bool
    /// BDI_CAP_WRITEBACK of what the file lies on.
    package var canWriteBack: Bool
    package init(pageMkwrite: Bool, pfnMkwrite: Bool, canWriteBack: Bool) {
      self.pageMkwrite = pageMkwrite
      self.pfnMkwrite = pfnMkwrite
      self.canWriteBack = canWriteBack
    }
  }

  /// Of a tmpfs, pages.
  package struct Blocks: Equatable, Sendable {
    /// 0 = no limit.
    package var max: UInt64
    package var used: UInt64
    package init(max: UInt64, used: UInt64) {
      self.max = max
      self.used = used
    }
    /// Not one more can be had.
    package var areUsedUp: Bool { max != 0 && used >= max }
  }

  /// Huge pages of one size (struct hstate).
  package struct Pool: Equatable, Sendable {
    /// Bytes of one.
    package var pageSize: UInt64
    package var total: UInt64
    package var free: UInt64
    /// Of the free ones, those that mappings have been promised.
    package var reserved: UInt64
    package var surplus: UInt64
    /// nr_overcommit_hugepages: as many surplus pages may be made.
    package var overcommit: UInt64
    /// HPAGE_RESV_OWNER of a private mapping: this process made it, and has its reservation.
    package var isReserveOwner = false
    /// HPAGE_RESV_UNMAPPED: its page was taken for the owner's sake.
    package var wasUnmapped = false
    package init(
      pageSize: UInt64, total: UInt64, free: UInt64, reserved: UInt64, surplus: UInt64,
      overcommit: UInt64
    ) {
      self.pageSize = pageSize
      self.total = total
      self.free = free
      self.reserved = reserved
      self.surplus = surplus
      self.overcommit = overcommit
    }
    /// available_huge_pages(): there is one without a reservation.
    package var hasAvailable: Bool { free > reserved }
    /// alloc_surplus_hugetlb_folio() may make one.
    package var mayGrow: Bool { surplus < overcommit }
  }

  /// The size= of a hugetlbfs mount, huge pages.
  package struct Subpool: Equatable, Sendable {
    package var max: Int64
    package var used: Int64
    package init(max: Int64, used: Int64) {
      self.max = max
      self.used = used
    }
    package var isUsedUp: Bool { max >= 0 && used >= max }
  }

  /// The control group on the way up that has the least left, 4 KiB pages.
  package struct Group: Equatable, Sendable {
    package var number: UInt64
    package var usage: UInt64
    package var max: UInt64
    package init(number: UInt64, usage: UInt64, max: UInt64) {
      self.number = number
      self.usage = usage
      self.max = max
    }
    package func has(roomFor pages: UInt64) -> Bool { usage <= max && max - usage >= pages }
  }

  /// The file that a stacked file system reads for the one that was opened.
  package struct Path: Equatable, Sendable {
    package var text: String
    package var isCut: Bool
    package init(text: String, isCut: Bool) {
      self.text = text
      self.isCut = isCut
    }
  }

  /// What read it: the function whose failure it is of, or that runs only where a file system has no
  /// block.
  package var function: FunctionName
  package var timeNs: UInt64
  /// In the mapping; 0: of a file system that had no block.
  package var address: UInt64
  /// Of the same file system the same number.
  package var identity: UInt64
  package var device: UInt32?
  package var writes: Writes?
  package var blocks: Blocks?
  package var pool: Pool?
  package var subpool: Subpool?
  package var group: Group?
  package var groupReserved: Group?
  package var path: Path?

  package init(function: FunctionName, timeNs: UInt64, address: UInt64, identity: UInt64) {
    self.function = function
    self.timeNs = timeNs
    self.address = address
    self.identity = identity
  }
}
