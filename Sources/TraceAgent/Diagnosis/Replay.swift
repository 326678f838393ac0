// SPDX-License-Identifier: Apache-2.0

import Model

/// Applies hmm_vma_handle_pte() to the entries that hmm_vma_walk_pmd() went over, in its order, to
/// find the one it rejected. The function itself is inlined in the kernels of distributions.
///
/// The entries are those at the callback's end. `hmm_vma_walk.last` says whether a fault came in
/// between: only hmm_vma_fault() and the wait for a migration set it, to the page they begin with.
struct Replay {
  private let failure: Failure
  private let walk: WalkEvidence
  /// hmm_vma_handle_pte() itself was seen: its first page decided, or began a fault.
  private let isDirect: Bool
  private let wantsWrite: Bool
  private let rules: HMMRules
  private let entries: [(page: UInt64, entry: DecodedEntry)]

  init(_ failure: Failure, walk: WalkEvidence, isDirect: Bool) {
    self.failure = failure
    self.walk = walk
    self.isDirect = isDirect
    wantsWrite = failure.wantsWrite(walk)
    rules = HMMRules(failure.traits)
    var entries = failure.tables.run(from: walk.start, to: walk.end)
    if isDirect && entries.isEmpty {
      let entry = failure.traits.pageTables.decode(walk.entry, level: .pte)
      entries = [(Failure.page(of: walk.start), entry)]
    }
    self.entries = entries
  }

  var locus: Locus {
    switch faultBegan {
    case true?: return .fault(FaultSearch(failure, walk: walk).site())
    case false?: return rejected
    case nil: return rejectedOrFaulted
    }
  }

  /// This callback started a fault: yes, no, or not told (`last` is still the start of the walk).
  private var faultBegan: Bool? {
    if failure.traits.faultsOutsideWalk { return false }
    guard let last = walk.last, last != walk.start else { return nil }
    return last > walk.start && last < walk.end
  }

  /// No fault came before: the first entry that is not accepted was rejected.
  private var rejected: Locus {
    guard let candidate = firstRefused(markersRefused: true) else { return .unclear }
    // An entry that wants a fault would have got one first: the table has changed since.
    if let wanting = firstWanting(markersRefused: true), wanting < candidate { return .unclear }
    return choose(candidate)
  }

  private var rejectedOrFaulted: Locus {
    let markersRefused = rules.refusesMarkers
    let candidate = firstRefused(markersRefused: markersRefused)
    let wanting = firstWanting(markersRefused: markersRefused)
    let fault = FaultSearch(failure, walk: walk).site()
    // Where its own page is accepted, hmm_vma_handle_pte() can only have failed by a fault from
    // there on.
    if isDirect && candidate != 0 { return fault.page == nil ? .unclear : .fault(fault) }
    guard let candidate, wanting == nil || candidate < wanting ?? 0 else {
      // With every entry as wanted now, something else happened.
      return wanting == nil ? .unclear : .fault(fault)
    }
    let chosen = choose(candidate)
    guard let wanting, case .refusedEntry(var refused) = chosen else { return chosen }
    // A fault begun at the first page fails at such an entry too, before it comes to `wanting`.
    if [.hwpoison, .swapinError, .marker].contains(refused.reason) { return chosen }
    let page = entries[wanting].page
    if failure.isBeyondEOF(page) {
      var site = fault
      site.page = page
      site.entry = entries[wanting].entry
      site.isCertain = false
      return .fault(site)
    }
    refused.doubt = "unless a fault of page \(hex(page)) failed unseen"
    return .refusedEntry(refused)
  }

  // MARK: The rules

  private func verdict(
    _ page: UInt64, _ entry: DecodedEntry, markersRefused: Bool
  ) -> HMMRules.Verdict {
    var rules = rules
    rules.refusesMarkers = markersRefused
    return rules.verdict(entry, wantsWrite: wantsWrite, isZeroPage: isZeroPage(page, entry))
  }

  private func isZeroPage(_ page: UInt64, _ entry: DecodedEntry) -> Bool {
    if let zero = failure.traits.zeroPFN { return entry.pfn == zero }
    // Anonymous memory and holes of fsdax files have no other special entry than the zero page's,
    // but DEVMAP.
    guard !entry.isDevmap, let mapping = failure.mapping(at: page) else { return false }
    return mapping.isAnonymous || mapping.isFSDAX
  }

  // MARK: Choice

  private func firstRefused(markersRefused: Bool) -> Int? {
    scan(markersRefused) { if case .refused = $0 { true } else { false } }
  }

  private func firstWanting(markersRefused: Bool) -> Int? {
    scan(markersRefused) { $0 == .wantsFault }
  }

  private func scan(_ markersRefused: Bool, _ matches: (HMMRules.Verdict) -> Bool) -> Int? {
    entries.indices.first {
      matches(
        verdict(entries[$0].page, entries[$0].entry, markersRefused: markersRefused))
    }
  }

  private func choose(_ index: Int) -> Locus {
    // Where the function was seen, its first page is the one, or none is.
    if isDirect && index != 0 { return .unclear }
    let (page, entry) = entries[index]
    guard case .refused(let reason) = verdict(page, entry, markersRefused: true) else {
      return .unclear
    }
    var refused = RefusedEntry(page: page, entry: entry, reason: reason)
    switch reason {
    case .specialDevmap where !isDirect: return chooseDevmap(index, refused)
    case .special: refused.doubt = doubtOfSpecial(page)
    case .devicePrivate:
      // Kernels that fault such a page back would have begun a fault here.
      refused.doubt = faultBegan == false ? nil : "unless the fault that brings it back failed"
    case .hwpoison where entry.kind == .bad: return .unclear
    default: break
    }
    return .refusedEntry(refused)
  }

  private func doubtOfSpecial(_ page: UInt64) -> String? {
    if failure.traits.zeroPFN != nil { return nil }
    // Nothing but raw page frames gives a VM_MIXEDMAP mapping its special entries.
    if let mapping = failure.mapping(at: page), mapping.flags.contains(.mixedMap) { return nil }
    return "unless it is the zero page, whose number is not known"
  }

  /// Only a kernel without 4b42fb213678 rejects SPECIAL|DEVMAP. Did this one?
  private func chooseDevmap(_ index: Int, _ devmap: RefusedEntry) -> Locus {
    let wanting = firstWanting(markersRefused: true) ?? entries.count
    let next = entries.indices.first { position in
      guard position > index, position < wanting else { return false }
      let (page, entry) = entries[position]
      switch verdict(page, entry, markersRefused: true) {
      case .refused(let reason): return reason != .specialDevmap
      default: return false
      }
    }
    let accepted = wasAccepted(devmap)
    guard let next else {
      // HMM wrote its page frame: it was accepted, and nothing here explains the failure.
      return accepted == true ? .unclear : .refusedEntry(devmap)
    }
    switch accepted {
    case false?: return .refusedEntry(devmap)
    case true?: return choose(next)
    case nil:
      guard case .refusedEntry(var other) = choose(next) else { return .unclear }
      other.doubt =
        "unless this kernel has the 2021 fsdax bug and stopped at page \(hex(devmap.page))"
      return .refusedEntry(other)
    }
  }

  /// hmm_pfns of a page that HMM accepted hold HMM_PFN_VALID and its page frame; nil = not read.
  private func wasAccepted(_ refused: RefusedEntry) -> Bool? {
    guard let value = failure.tables.hmmPFN(at: refused.page), let pfn = refused.entry.pfn else {
      return nil
    }
    return value & 1 << 63 != 0 && value & (1 << 52 - 1) == pfn
  }
}
