// SPDX-License-Identifier: Apache-2.0

import Model

/// What HMM does with one entry when on-demand paging asks for its page, as far as the entry alone
/// tells: mapping, request and page are not known (mm/hmm.c: hmm_vma_walk_pmd(),
/// hmm_vma_handle_pte()).
package struct EntryVerdict: Equatable, Sendable {
  package enum Outcome: String, Sendable {
    case accepts, refuses
    /// A page fault is tried, and its result decides.
    case faults
    /// Waits until the entry has changed, then looks again.
    case waits
    /// The entries of the table below decide.
    case descends
    /// Something that the entry does not hold decides.
    case depends
  }

  package var read: Outcome
  package var write: Outcome
  /// Why, and on what it depends; no full stop.
  package var reason: String

  private init(_ both: Outcome, _ reason: String) { self.init(both, both, reason) }

  private init(_ read: Outcome, _ write: Outcome, _ reason: String) {
    self.read = read
    self.write = write
    self.reason = reason
  }

  /// - Parameters:
  ///   - entry: decoded by the format of the same kernel.
  ///   - release: the kernel's.
  ///   - hasDevmapFix: 4b42fb213678 is in; nil: not known.
  /// - Returns: what its rules say.
  package static func of(
    _ entry: DecodedEntry, release: KernelRelease, hasDevmapFix: Bool?
  ) -> EntryVerdict {
    if release < KernelRelease(5, 10) {
      return .init(.depends, "before 5.10 on-demand paging does not go through HMM")
    }
    switch entry.level {
    case .pte: return pte(entry, release, hasDevmapFix)
    case .pmd: return pmd(entry, release)
    case .pud, .p4d, .pgd: return upper(entry)
    }
  }

  private static func pte(
    _ entry: DecodedEntry, _ release: KernelRelease, _ hasFix: Bool?
  ) -> EntryVerdict {
    switch entry.kind {
    case .none: return .init(.faults, "no page yet")
    case .protnone:
      return .init(.faults, "closed to the processor; a PROT_NONE mapping was refused before")
    case .swap: return .init(.faults, "the page is brought back from swap")
    case .deviceExclusive: return .init(.faults, "the device's exclusive access is ended")
    case .migrationRead, .migrationReadExclusive, .migrationWrite:
      return .init(.waits, "the page is being moved")
    case .hwpoison: return .init(.refuses, "broken memory: -EFAULT (pte-hwpoison)")
    case .swapinError: return .init(.refuses, "its data is lost: -EFAULT (pte-hwpoison)")
    case .marker(let marker): return self.marker(marker, release)
    case .devicePrivateRead, .devicePrivateWrite: return devicePrivate(release)
    case .table, .bad: return .init(.refuses, "no type of this kernel: -EFAULT")
    case .present: return present(entry, hasFix)
    }
  }

  private static func marker(_ marker: PTEMarker, _ release: KernelRelease) -> EntryVerdict {
    if marker == .uffdWP { return .init(.faults, "a marker of userfaultfd stands for no page yet") }
    // pte_none_mostly() up to 6.18, pte_is_uffd_wp_marker() from 7.0 on.
    if release >= KernelRelease(7, 0) {
      return .init(.refuses, "a marker other than userfaultfd's: -EFAULT (pte-marker)")
    }
    if release >= KernelRelease(6, 19) {
      return .init(.depends, "refused by HMM or by the page fault: -EFAULT either way")
    }
    if marker.isDisjoint(with: [.poisoned, .guardRegion]) {
      return .init(.faults, "HMM takes every marker for no page yet")
    }
    let what = marker.contains(.guardRegion) ? "VM_FAULT_SIGSEGV" : "VM_FAULT_HWPOISON"
    return .init(
      .faults, "HMM takes every marker for no page yet; the fault ends in \(what), -EFAULT")
  }

  private static func devicePrivate(_ release: KernelRelease) -> EntryVerdict {
    switch release {
    case ..<KernelRelease(5, 15):
      return .init(.refuses, "another device owns the page: -EFAULT (pte-device-private)")
    case ..<KernelRelease(5, 19):
      return .init(
        .depends, "refused up to 5.18, unless its stable release faults other devices' pages back")
    default: return .init(.faults, "the page is brought back from the device")
    }
  }

  private static func present(_ entry: DecodedEntry, _ hasFix: Bool?) -> EntryVerdict {
    guard entry.isSpecial else {
      return permitted(entry, .init(.accepts, "an ordinary page"))
    }
    guard entry.isDevmap else {
      return permitted(
        entry,
        .init(
          .depends,
          "accepted if the page frame is the shared zero page, else it has no struct page: -EFAULT "
            + "(pte-special)"))
    }
    switch hasFix {
    case true?:
      return permitted(entry, .init(.accepts, "special, but DEVMAP: a DAX page"))
    case false?:
      return permitted(
        entry,
        .init(.refuses, "special, DEVMAP or not: the bug of 2021, -EFAULT (pte-special-devmap)"))
    case nil:
      return permitted(
        entry,
        .init(
          .depends,
          "refused (pte-special-devmap) unless the fix of 2021 is in: 5.10.67, 5.13.19, 5.14.6, 5.15"
        ))
    }
  }

  /// hmm_pte_need_fault() comes before everything else.
  private static func permitted(_ entry: DecodedEntry, _ verdict: EntryVerdict) -> EntryVerdict {
    guard !entry.isWritable else { return verdict }
    var verdict = verdict
    verdict.write = .faults
    verdict.reason += "; write access faults first, as the entry is not writable"
    return verdict
  }

  private static func pmd(_ entry: DecodedEntry, _ release: KernelRelease) -> EntryVerdict {
    switch entry.kind {
    case .none: return .init(.faults, "nothing there yet")
    case .table: return .init(.descends, "points to a table of PTEs")
    case .protnone:
      return .init(.faults, "closed to the processor; a PROT_NONE mapping was refused before")
    case .present: return permitted(entry, .init(.accepts, "a huge page; no bit but RW is asked"))
    case .migrationRead, .migrationReadExclusive, .migrationWrite:
      return .init(.waits, "the huge page is being moved")
    case .devicePrivateRead, .devicePrivateWrite:
      if release >= KernelRelease(7, 0) {
        return .init(.faults, "the huge page is brought back from the device")
      }
      if release >= KernelRelease(6, 19) {
        return .init(.depends, "refused up to 6.18, faulted from 7.0 on")
      }
      return .init(.refuses, "not present and not migrating: -EFAULT (pmd-unexpected)")
    case .bad:
      return .init(.refuses, "neither table, huge page nor empty: -EFAULT (pmd-unexpected)")
    case .swap, .hwpoison, .deviceExclusive, .marker, .swapinError:
      return .init(.refuses, "not present and not migrating: -EFAULT (pmd-unexpected)")
    }
  }

  private static func upper(_ entry: DecodedEntry) -> EntryVerdict {
    switch entry.kind {
    case .none: .init(.faults, "nothing there yet")
    case .table: .init(.descends, "points to a lower table")
    case .present: permitted(entry, .init(.accepts, "a huge page; no bit but RW is asked"))
    default: .init(.depends, "not a valid entry of its level; the page walk ends here")
    }
  }
}

extension KernelRelease {
  /// Whether 4b42fb213678 ("mm/hmm: bypass devmap pte when all pfn requested flags are fulfilled") is
  /// in; nil where only the stable release tells, and `patch` is none (0, as in Debian's names).
  package var hasDevmapFix: Bool? {
    let fixed: Int
    switch (major, minor) {
    case (5, 15...), (6..., _): return true
    case (5, 10): fixed = 67
    case (5, 13): fixed = 19
    case (5, 14): fixed = 6
    case (5, 11), (5, 12): return false
    default: return nil
    }
    return patch == 0 ? nil : patch >= fixed
  }
}
