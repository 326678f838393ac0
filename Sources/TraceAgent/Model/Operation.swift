// SPDX-License-Identifier: Apache-2.0

/// One registration, prefetch or page fault with everything that was seen of it.
///
/// Made by Operations/Correlator.swift from events; the only input of a diagnosis besides ``KernelTraits``.
package struct Operation: Equatable, Sendable {
  /// A task: who asked, or which worker did it.
  package struct Task: Equatable, Sendable {
    package var pid: Int
    package var tid: Int
    package var comm: String
    package init(pid: Int, tid: Int, comm: String) {
      self.pid = pid
      self.tid = tid
      self.comm = comm
    }
  }

  package var kind: Kind
  /// False: what asked for it was not seen, and ``kind`` says only what the kernel did.
  package var kindSeen = true
  /// The function whose return ended it, and gave its result; nil: not known.
  package var root: FunctionName?
  /// The task that ran the kernel code: the owner's thread, or a worker.
  package var runner: Task
  /// The process that owns the memory, where known. For a system call it is the runner.
  package var ownerPID: Int?
  package var ownerComm: String?
  /// More of that process, of operations that failed.
  package var owner: OwnerEvidence?
  package var device: String?
  /// CLOCK_MONOTONIC, ns. Start is absent where only the end was seen.
  package var startNs: UInt64?
  package var endNs: UInt64
  /// 0 or more = success; negative errno = failure.
  package var result: Int64

  package var mr: MemoryRegion
  package var advice: Advice?
  /// The range asked for by advice or page fault (first SGE).
  package var request: AddressRange?
  package var lkey: UInt32?
  /// What the process has last registered with that key, where that was seen.
  package var keyRegistration: MemoryRegion?
  /// The device offers on-demand paging (ib_device.attrs); nil = not read.
  package var deviceHasODP: Bool?
  /// The flush access flags that the device offers (`AccessFlags.flushGlobal`, `.flushPersistent`);
  /// nil = not read, or a kernel that knows none.
  package var deviceFlush: UInt32?
  /// The driver implements `advise_mr`; nil = not read.
  package var driverHasAdvise: Bool?
  /// Kernel address of the umem: identity only, for correlation within a recording.
  package var umemIdentity: UInt64?
  /// Without an umem, ib_umem_odp_map_dma_and_lock() was seen neither to begin nor to return.
  package var mapEntrySeen = false

  /// Evidence in the order it was seen: deepest function first within one failure.
  package var umems: [UmemEvidence] = []
  package var layers: [LayerEvidence] = []
  package var ranges: [RangeEvidence] = []
  package var walks: [WalkEvidence] = []
  package var levels: [LevelsEvidence] = []
  package var entries: [EntriesEvidence] = []
  package var mappings: [MappingEvidence] = []
  package var faults: [FaultEvidence] = []
  package var folios: [FolioEvidence] = []
  package var refusals: [RefusalEvidence] = []
  package var forked: [ForkedEvidence] = []
  package var backings: [BackingEvidence] = []
  package var kernelStack: [StackFrame] = []
  /// When the kernel stack was taken; nil: not known.
  package var stackNs: UInt64?
  package var userStack: [StackFrame] = []
  /// Records of this operation that were lost: the evidence is incomplete.
  package var lost: Int = 0
  /// It began before the recording holds everything: more may be missing than is counted.
  package var beganBeforeRecording = false
  /// All its evidence is here: what is not, was not there.
  package var isComplete: Bool { lost == 0 && !beganBeforeRecording }
  /// Of these, records that were recorded and not kept: over the limit of one operation.
  package var dropped: Int = 0
  /// Its beginning was not seen, which counts as a lost record.
  package var entryMissed = false
  /// Its evidence is that of the operation which the same process began so long before it, ns, and which failed in the same
  /// way: nothing it depends on had changed (bpf/repeats.h). nil: it is its own.
  package var repeatsAfterNs: UInt64?
  /// When that operation was, CLOCK_MONOTONIC, ns: its evidence is of that time.
  package var lentFrom: ClosedRange<UInt64>?
  /// What the same thread did next that mended this failure, e.g. "reg_mr with ON_DEMAND".
  package var recoveredBy: String?
  /// What the same thread registered next, and what that lacks to mend this failure, e.g. "reg_mr of 4096 of the 65536
  /// bytes".
  package var followedBy: String?

  package init(kind: Kind, runner: Task, endNs: UInt64, result: Int64) {
    self.kind = kind
    self.runner = runner
    self.endNs = endNs
    self.result = result
    self.mr = MemoryRegion()
  }

  package var failed: Bool { result < 0 }

  /// Why the evidence is incomplete; empty where it is complete, as far as the operation's own records
  /// say.
  package var incomplete: [String] {
    var reasons: [String] = []
    let noRoom = lost - dropped - (entryMissed ? 1 : 0)
    if noRoom > 0 {
      reasons.append("\(noRoom) record\(noRoom == 1 ? "" : "s") of it found no room and are lost")
    }
    if dropped > 0 {
      reasons.append("\(dropped) of its records are more than is kept of one operation")
    }
    if entryMissed { reasons.append("its beginning was not seen") }
    if beganBeforeRecording {
      reasons.append("it began before the recording holds everything")
    }
    return reasons
  }
}

package struct AddressRange: Equatable, Sendable {
  package var start: UInt64
  package var length: UInt64
  package init(start: UInt64, length: UInt64) {
    self.start = start
    self.length = length
  }
}

/// What is known of the memory region; nil = not known.
package struct MemoryRegion: Equatable, Sendable {
  package var address: UInt64?
  package var length: UInt64?
  package var iova: UInt64?
  /// enum ib_access_flags.
  package var access: UInt32?
  package init() {}
}

package struct Advice: Equatable, Sendable {
  /// enum ib_uverbs_advise_mr_advice: 0 PREFETCH, 1 PREFETCH_WRITE, 2 PREFETCH_NO_FAULT.
  package var advice: UInt32
  /// Bit 0: FLUSH (synchronous).
  package var flags: UInt32
  package var sgeCount: UInt32
  package init(advice: UInt32, flags: UInt32, sgeCount: UInt32) {
    self.advice = advice
    self.flags = flags
    self.sgeCount = sgeCount
  }
}

/// A watched kernel function by its name in the kernel's source.
package typealias FunctionName = String

package struct UmemEvidence: Equatable, Sendable {
  package var function: FunctionName
  package var timeNs: UInt64
  package var identity: UInt64
  /// nil unless the ib_umem was there to read.
  package var region: AddressRange?
  package var iova: UInt64?
  package var writable: Bool?
  package var isODP: Bool?
  package var pageShift: UInt32?
  package var pinnedPages: UInt64?
  package var memlockLimit: UInt64?
  /// The caller has CAP_IPC_LOCK, to which the limit does not apply; nil = not read.
  package var mayLock: Bool?
  package var access: UInt32?
  /// The process that an on-demand umem was registered by, alive or not.
  package var ownerPID: Int?
  package init(function: FunctionName, timeNs: UInt64, identity: UInt64) {
    self.function = function
    self.timeNs = timeNs
    self.identity = identity
  }
}

/// The return of a function between the verb and HMM (drivers, umem).
package struct LayerEvidence: Equatable, Sendable {
  package var function: FunctionName
  package var timeNs: UInt64
  package var result: Int64
  package var arguments: [UInt64]
  package var rung: Rung
  package init(
    function: FunctionName, timeNs: UInt64, result: Int64, arguments: [UInt64], rung: Rung
  ) {
    self.function = function
    self.timeNs = timeNs
    self.result = result
    self.arguments = arguments
    self.rung = rung
  }
}

/// The return of hmm_range_fault() or one of its 7.3 successors.
package struct RangeEvidence: Equatable, Sendable {
  package var function: FunctionName
  package var timeNs: UInt64
  package var result: Int64
  package var start: UInt64
  package var end: UInt64
  /// HMM_PFN_REQ_FAULT = 1<<63, HMM_PFN_REQ_WRITE = 1<<62.
  package var defaultFlags: UInt64
  package var rung: Rung
  package init(
    function: FunctionName, timeNs: UInt64, result: Int64, start: UInt64, end: UInt64,
    defaultFlags: UInt64, rung: Rung
  ) {
    self.function = function
    self.timeNs = timeNs
    self.result = result
    self.start = start
    self.end = end
    self.defaultFlags = defaultFlags
    self.rung = rung
  }
}

/// The decision of a page-walk callback (hmm_vma_walk_*, hmm_vma_handle_pte), or, with function
/// "hmm_range_fault_locked" (7.3), the fault phase after the walk that asked for it.
package struct WalkEvidence: Equatable, Sendable {
  package var function: FunctionName
  package var timeNs: UInt64
  package var result: Int64
  /// The range this callback was given.
  package var start: UInt64
  package var end: UInt64
  /// hmm_vma_walk.last: where faulting began. Not the failing page where a present entry was rejected.
  package var last: UInt64?
  /// 7.3: end of the range to be faulted, and HMM_NEED_FAULT(1) | HMM_NEED_WRITE_FAULT(2).
  package var pendingEnd: UInt64?
  package var requiredFault: UInt32?
  package var hasVMA: Bool
  package var defaultFlags: UInt64?
  /// *pmdp, *pudp or *ptep as the callback found it; 0 where the callback has none.
  package var entry: UInt64
  package var rung: Rung
  package init(
    function: FunctionName, timeNs: UInt64, result: Int64, start: UInt64, end: UInt64, hasVMA: Bool,
    entry: UInt64, rung: Rung
  ) {
    self.function = function
    self.timeNs = timeNs
    self.result = result
    self.start = start
    self.end = end
    self.hasVMA = hasVMA
    self.entry = entry
    self.rung = rung
  }
}

/// Page-table entries on the way to one address; nil = not reached.
package struct LevelsEvidence: Equatable, Sendable {
  /// nil: not known, as of all evidence without a time.
  package var timeNs: UInt64?
  package var address: UInt64
  package var pgd: UInt64?
  package var p4d: UInt64?
  package var pud: UInt64?
  package var pmd: UInt64?
  package var pte: UInt64?
  package var pagingLevels: Int
  package init(address: UInt64, pagingLevels: Int) {
    self.address = address
    self.pagingLevels = pagingLevels
  }
}

/// A run of consecutive entries, one per 4 KiB page from `address` on.
package struct EntriesEvidence: Equatable, Sendable {
  package enum What: Sendable { case pte, hmmPFN }
  /// Why it was taken.
  package enum Search: Sendable {
    /// The range of a callback that failed.
    case walked
    /// The table in which the fault stopped: the first page in [`WalkEvidence.last`, end) not yet as needed.
    case faulted
  }
  package var timeNs: UInt64?
  package var what: What
  package var search: Search
  package var address: UInt64
  package var values: [UInt64]
  package init(what: What, search: Search, address: UInt64, values: [UInt64]) {
    self.what = what
    self.search = search
    self.address = address
    self.values = values
  }
}

/// A VMA (or the gap where there is none) and its file.
package struct MappingEvidence: Equatable, Sendable {
  package struct File: Equatable, Sendable {
    /// As far as it could be walked in the kernel: absolute unless cut.
    package var path: String
    package var pathIsCut: Bool
    package var inode: UInt64
    package var size: UInt64
    package var filesystem: String
    package var blockDevice: String
    package var filesystemMagic: UInt64
    package var device: UInt32
    package var mode: UInt32
    package var inodeFlags: UInt32
    package init(
      path: String, pathIsCut: Bool, inode: UInt64, size: UInt64, filesystem: String,
      blockDevice: String, filesystemMagic: UInt64, device: UInt32, mode: UInt32, inodeFlags: UInt32
    ) {
      self.path = path
      self.pathIsCut = pathIsCut
      self.inode = inode
      self.size = size
      self.filesystem = filesystem
      self.blockDevice = blockDevice
      self.filesystemMagic = filesystemMagic
      self.device = device
      self.mode = mode
      self.inodeFlags = inodeFlags
    }
  }

  package var timeNs: UInt64?
  /// The address asked for.
  package var address: UInt64
  /// False: no mapping holds `address`; the neighbours say how far the gap goes.
  package var found: Bool
  package var start: UInt64
  package var end: UInt64
  package var vmFlags: UInt64
  /// vm_pgoff, pages.
  package var pageOffset: UInt64
  package var previousEnd: UInt64?
  package var nextStart: UInt64?
  package var isAnonymous: Bool
  package var isFSDAX: Bool
  package var isHugeTLB: Bool
  package var file: File?
  package init(
    address: UInt64, found: Bool, start: UInt64, end: UInt64, vmFlags: UInt64, pageOffset: UInt64
  ) {
    self.address = address
    self.found = found
    self.start = start
    self.end = end
    self.vmFlags = vmFlags
    self.pageOffset = pageOffset
    self.isAnonymous = false
    self.isFSDAX = false
    self.isHugeTLB = false
  }
}

/// A page fault that failed, as a witness saw it.
package struct FaultEvidence: Equatable, Sendable {
  /// "handle_mm_fault", "hugetlb_fault", "handle_userfault", "dax_iomap_fault", "dax_pte_fault_done" or
  /// "dax_pmd_fault_done".
  package var witness: FunctionName
  package var timeNs: UInt64
  package var address: UInt64
  /// VM_FAULT_* bits.
  package var result: UInt32
  package var faultFlags: UInt32?
  package var inode: UInt64?
  package var pageOffset: UInt64?
  package var fileSize: UInt64?
  /// The file system's own errno, negative, where it told (dax_iomap_fault() of ext4).
  package var error: Int32?
  package init(witness: FunctionName, timeNs: UInt64, address: UInt64, result: UInt32) {
    self.witness = witness
    self.timeNs = timeNs
    self.address = address
    self.result = result
  }
}

package struct StackFrame: Hashable, Sendable {
  package var address: UInt64
  /// "symbol+0x12" or "libibverbs.so.1+0x1234"; nil = not known.
  package var name: String?
  package init(address: UInt64, name: String?) {
    self.address = address
    self.name = name
  }
}
