// SPDX-License-Identifier: Apache-2.0

import Model

/// Where a page walk of HMM stopped.
enum Locus: Sendable {
  /// No callback failed.
  case none
  /// hmm_vma_walk_hole() found no mapping.
  case gap(UInt64)
  /// 7.3: the mapping was gone when hmm_do_fault() looked for it.
  case vanished(UInt64)
  /// hmm_vma_walk_test() refused the mapping that begins the range.
  case refusedMapping(UInt64)
  /// An entry that no fault can mend.
  case refusedEntry(RefusedEntry)
  /// -EPERM: a write fault was wanted in a mapping without VM_WRITE.
  case notWritable(UInt64)
  /// A page fault failed.
  case fault(FaultSite)
  /// The evidence does not tell: the tables changed, or were not read.
  case unclear
}

/// An entry that hmm_vma_handle_pte() or hmm_vma_walk_pmd() rejected.
struct RefusedEntry: Sendable {
  enum Reason: Sendable, Equatable {
    case special, specialDevmap, hwpoison, swapinError, marker, devicePrivate, pmdNotPresent, pmdBad
  }
  var page: UInt64
  var entry: DecodedEntry
  var reason: Reason
  /// nil: this entry decided. Else what else could have.
  var doubt: String?
}

/// The fault that failed.
struct FaultSite: Sendable {
  /// Pages of [from, end) were faulted in order.
  var from: UInt64
  var end: UInt64
  /// The failing page, where the evidence names it.
  var page: UInt64?
  var entry: DecodedEntry?
  /// What saw the fault fail, the deepest function first: handlers call one another, and each may
  /// have been watched.
  var witnesses: [FaultEvidence] = []
  /// False: an entry before it could have been rejected instead.
  var isCertain = true

  /// The outermost.
  var witness: FaultEvidence? { witnesses.last }

  /// What the witness saw, VM_FAULT_FALLBACK left out: a PMD fault falls back to PTEs, which is no
  /// failure.
  var result: VMFault? {
    witness.map { VMFault(rawValue: $0.result).intersection(.failures) }
  }

  /// The file system's own reason.
  var error: Errno? {
    witnesses.compactMap(\.error).last { $0 < 0 }.flatMap { Errno(result: Int64($0)) }
  }

  /// The file's size as a witness read it in the fault.
  var fileSize: UInt64? { witnesses.compactMap(\.fileSize).last }

  /// A witness read file and offset itself, and the page is beyond the file's end; nil = none did.
  var witnessedBeyondEOF: Bool? {
    guard let seen = witnesses.last(where: { $0.pageOffset != nil && $0.fileSize != nil }),
      let offset = seen.pageOffset, let size = seen.fileSize
    else { return nil }
    return offset >= size >> 12 &+ (size & 4095 == 0 ? 0 : 1)
  }
}

extension VMFault {
  static let failures: VMFault = [.outOfMemory, .sigbus, .hwpoison, .hwpoisonLarge, .sigsegv]
}
