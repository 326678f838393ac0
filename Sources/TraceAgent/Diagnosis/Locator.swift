// SPDX-License-Identifier: Apache-2.0

import Model

/// Finds where HMM stopped (mm/hmm.c), from the deepest failing callback.
struct Locator {
  private let failure: Failure

  init(_ failure: Failure) { self.failure = failure }

  var locus: Locus {
    guard let walk = failure.walks.first else { return faultAlone }
    let from = walk.last ?? walk.start
    if walk.errno == .perm { return .notWritable(Failure.page(of: from)) }
    if walk.function == "hmm_range_fault_locked" { return faultPhase(walk, from: from) }
    let witnesses = witnesses(from: min(from, walk.start), to: walk.pendingEnd ?? walk.end)
    if !witnesses.isEmpty { return .fault(site(of: walk, witnesses)) }
    switch walk.function {
    case "hmm_vma_walk_test": return .refusedMapping(Failure.page(of: walk.start))
    case "hmm_vma_walk_hole":
      return walk.hasVMA ? .fault(site(of: walk)) : .gap(Failure.page(of: walk.start))
    case "hmm_vma_walk_hugetlb_entry": return .fault(site(of: walk))
    case "hmm_vma_walk_pud": return upper(walk, level: .pud)
    case "hmm_vma_walk_pmd": return upper(walk, level: .pmd)
    case "hmm_vma_handle_pte": return Replay(failure, walk: walk, isDirect: true).locus
    default: return .unclear
    }
  }

  /// No callback was seen to fail, but a fault was: of a pin, or where the callbacks have no hook.
  private var faultAlone: Locus {
    let witnesses = witnesses(from: 0, to: .max)
    guard let last = witnesses.last else { return UnseenCallback(failure)?.locus ?? pinStop }
    let page = Failure.page(of: last.address)
    var site = FaultSite(from: page, end: page &+ Failure.pageSize, witnesses: witnesses)
    site.page = page
    site.entry = failure.tables.lowest(at: page)
    return .fault(site)
  }

  /// A pin faults its range in order, so the first page that is not mapped as it wants is where it
  /// stopped, unless a mapping before that was refused.
  private var pinStop: Locus {
    guard let request = failure.pinRequest, [.fault, .nomem].contains(request.errno),
      !request.overflows
    else { return .none }
    let end = request.address &+ request.size
    guard failure.tables.faultedRuns.contains(where: { $0 >= request.firstPage && $0 < end }) else {
      return deadPage(from: request.firstPage, to: end)
    }
    let site = FaultSearch(
      failure, from: request.firstPage, to: end, wantsWrite: request.access.isWritable
    ).site()
    guard let page = site.page else { return .none }
    if let refusal = failure.pinRefusal, refusal.page <= page { return .none }
    return .fault(site)
  }

  /// Only single entries were read of the pin's range. Its first page was faulted first; else one
  /// that no fault can mend must stop it.
  private func deadPage(from start: UInt64, to end: UInt64) -> Locus {
    if let entry = failure.tables.lowest(at: start), !entry.isPresentLeaf,
      failure.pinRefusal.map({ start < $0.page }) ?? true
    {
      var site = FaultSite(from: start, end: start &+ Failure.pageSize)
      site.page = start
      site.entry = entry
      return .fault(site)
    }
    let dead = failure.tables.levelAddresses.filter {
      $0 >= start && $0 < end && failure.tables.lowest(at: $0)?.isDead == true
    }
    guard let page = dead.min(), failure.pinRefusal.map({ page < $0.page }) ?? true else {
      return .none
    }
    var site = FaultSite(from: page, end: page &+ Failure.pageSize)
    site.page = page
    site.entry = failure.tables.lowest(at: page)
    site.isCertain = false
    return .fault(site)
  }

  /// 7.3: hmm_do_fault() failed after the walk.
  private func faultPhase(_ walk: WalkEvidence, from: UInt64) -> Locus {
    let witnesses = witnesses(from: from, to: walk.pendingEnd ?? walk.end)
    let page = Failure.page(of: from)
    // mmap_lock is still held where this is seen: a mapping missing now was missing then.
    if witnesses.isEmpty, let mapping = failure.mapping(at: page), !mapping.found {
      return .vanished(page)
    }
    return .fault(site(of: walk, witnesses))
  }

  /// All that saw the last fault of [from, end) that failed: fault handlers call one another for the
  /// same page, and each may have a hook.
  private func witnesses(from: UInt64, to end: UInt64) -> [FaultEvidence] {
    let failed = failure.operation.faults.filter {
      !VMFault(rawValue: $0.result).isDisjoint(with: .failures)
        && $0.address >= Failure.page(of: from) && $0.address < end
    }
    guard let last = failed.last else { return [] }
    var kept: [FaultEvidence] = []
    for fault in failed.reversed() {
      guard Locator.isSamePage(fault.address, last.address) else { break }
      // An earlier attempt at the same page.
      if kept.contains(where: { $0.witness == fault.witness }) { break }
      kept.append(fault)
    }
    return kept.reversed()
  }

  /// Handlers of huge pages get the address rounded down.
  private static func isSamePage(_ one: UInt64, _ other: UInt64) -> Bool {
    Failure.page(of: one) == Failure.page(of: other)
      || (PageTableLevel.pmd.base(of: one) == one || PageTableLevel.pmd.base(of: other) == other)
        && PageTableLevel.pmd.base(of: one) == PageTableLevel.pmd.base(of: other)
  }

  /// hmm_vma_walk_pmd() and _pud() by the entry they found.
  private func upper(_ walk: WalkEvidence, level: PageTableLevel) -> Locus {
    let entry = failure.traits.pageTables.decode(walk.entry, level: level)
    switch entry.kind {
    case .none:
      // Tail-called hmm_vma_walk_hole(), unseen.
      return walk.hasVMA ? .fault(site(of: walk)) : .gap(Failure.page(of: walk.start))
    case .present, .protnone:
      // A leaf is never rejected; a fault for it can fail.
      return .fault(site(of: walk))
    case .table:
      return level == .pmd ? Replay(failure, walk: walk, isDirect: false).locus : .unclear
    case .devicePrivateRead, .devicePrivateWrite:
      // Device-private PMDs came with 7.x, which faults those of another owner.
      return failure.traits.faultsOutsideWalk ? .unclear : .fault(site(of: walk))
    case .migrationRead, .migrationReadExclusive, .migrationWrite:
      return .unclear  // would have been -EBUSY
    case .bad where level == .pmd && walk.entry & 1 != 0:
      return refused(walk, entry, .pmdBad)
    default:
      return level == .pmd ? refused(walk, entry, .pmdNotPresent) : .unclear
    }
  }

  private func refused(
    _ walk: WalkEvidence, _ entry: DecodedEntry, _ reason: RefusedEntry.Reason
  ) -> Locus {
    .refusedEntry(.init(page: Failure.page(of: walk.start), entry: entry, reason: reason))
  }

  private func site(of walk: WalkEvidence, _ witnesses: [FaultEvidence] = []) -> FaultSite {
    FaultSearch(failure, walk: walk).site(witnesses)
  }
}
