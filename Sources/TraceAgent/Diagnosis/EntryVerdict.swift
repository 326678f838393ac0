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
  ///   - hasDevmapFix: whether ``DevmapFix`` is in; nil: not known.
  /// - Returns: what its rules say.
  package static func of(
    _ entry: DecodedEntry, release: KernelRelease, hasDevmapFix: Bool?
  ) -> EntryVerdict {
    if release < KernelRelease(5, 10) {
      return .init(.depends, "before 5.10 on-demand paging does not go through HMM")
    }
    switch entry.level {
    case .pte: return pte(entry, HMMRules(release, hasDevmapFix: hasDevmapFix))
    case .pmd: return pmd(entry, release)
    case .pud, .p4d, .pgd: return upper(entry)
    }
  }

  private static func pte(_ entry: DecodedEntry, _ rules: HMMRules) -> EntryVerdict {
    func outcome(wantsWrite: Bool) -> Outcome {
      let verdict = rules.verdict(entry, wantsWrite: wantsWrite, isZeroPage: false)
      switch verdict {
      case .accepted: return .accepts
      case .wantsFault: return entry.kind.isMigration ? .waits : .faults
      // The entry does not say whether its frame is the zero page's.
      case .refused(.special): return .depends
      case .refused(.specialDevmap) where rules.devmap == .untold: return .depends
      case .refused: return .refuses
      }
    }
    let (read, write) = (outcome(wantsWrite: false), outcome(wantsWrite: true))
    var reason = self.reason(entry, read, rules)
    if read != write { reason += "; write access faults first, as the entry is not writable" }
    return .init(read, write, reason)
  }

  private static func reason(_ entry: DecodedEntry, _ outcome: Outcome, _ rules: HMMRules)
    -> String
  {
    switch entry.kind {
    case .none: return "no page yet"
    case .protnone: return "closed to the processor; a PROT_NONE mapping was refused before"
    case .swap: return "the page is brought back from swap"
    case .deviceExclusive: return "the device's exclusive access is ended"
    case .migrationRead, .migrationReadExclusive, .migrationWrite: return "the page is being moved"
    case .hwpoison: return "broken memory: -EFAULT (pte-hwpoison)"
    case .swapinError: return "its data is lost: -EFAULT (pte-hwpoison)"
    case .table, .bad: return "no type of this kernel: -EFAULT"
    case .devicePrivateRead, .devicePrivateWrite:
      return outcome == .refuses
        ? "another device owns the page: -EFAULT (pte-device-private)"
        : "the page is brought back from the device"
    case .marker(let marker):
      if marker == .uffdWP { return "a marker of userfaultfd stands for no page yet" }
      if outcome == .refuses { return "a marker other than userfaultfd's: -EFAULT (pte-marker)" }
      let taken = "HMM takes every marker for no page yet"
      guard !marker.isDisjoint(with: [.poisoned, .guardRegion]) else { return taken }
      let code = marker.contains(.guardRegion) ? "VM_FAULT_SIGSEGV" : "VM_FAULT_HWPOISON"
      return "\(taken); the fault ends in \(code), -EFAULT"
    case .present: return special(entry, outcome)
    }
  }

  private static func special(_ entry: DecodedEntry, _ outcome: Outcome) -> String {
    guard entry.isSpecial else { return "an ordinary page" }
    guard entry.isDevmap else {
      return "accepted if the page frame is the shared zero page, else it has no struct page: "
        + "-EFAULT (pte-special)"
    }
    switch outcome {
    case .accepts: return "special, but DEVMAP: a DAX page"
    case .refuses:
      return "special, DEVMAP or not: the bug of 2021, -EFAULT (pte-special-devmap)"
    default:
      return "refused (pte-special-devmap) unless the fix of 2021 is in: "
        + DevmapFix.releases.joined(separator: ", ")
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

extension HMMRules {
  /// Those of the generation that `release` belongs to.
  fileprivate init(_ release: KernelRelease, hasDevmapFix: Bool?) {
    let generation = KernelGeneration.all.last {
      KernelRelease($0.first).map { $0 <= release } ?? false
    }
    self = (generation ?? KernelGeneration.all[0]).hmm
    if devmap == .refused || devmap == .accepted {
      devmap = hasDevmapFix.map { $0 ? .accepted : .refused } ?? .untold
    }
  }
}
