// SPDX-License-Identifier: Apache-2.0

import Model

/// Finds where HMM stopped (mm/hmm.c), from the deepest failing callback.
struct Locator {
  private let scene: Case

  init(_ scene: Case) { self.scene = scene }

  var locus: Locus {
    guard let walk = scene.walks.first else { return faultAlone }
    let from = walk.last ?? walk.start
    if walk.result == -Int64(Errno.perm.rawValue) { return .notWritable(Case.page(of: from)) }
    if walk.function == "hmm_range_fault_locked" { return faultPhase(walk, from: from) }
    if let witness = witness(from: min(from, walk.start), to: walk.pendingEnd ?? walk.end) {
      return .fault(site(of: walk, witness: witness))
    }
    switch walk.function {
    case "hmm_vma_walk_test": return .refusedMapping(Case.page(of: walk.start))
    case "hmm_vma_walk_hole":
      return walk.hasVMA ? .fault(site(of: walk)) : .gap(Case.page(of: walk.start))
    case "hmm_vma_walk_hugetlb_entry": return .fault(site(of: walk))
    case "hmm_vma_walk_pud": return upper(walk, level: .pud)
    case "hmm_vma_walk_pmd": return upper(walk, level: .pmd)
    case "hmm_vma_handle_pte": return Replay(scene, walk: walk, isDirect: true).locus
    default: return .unclear
    }
  }

  /// No callback was seen to fail, but a fault was: of a pin, or where the callbacks have no hook.
  private var faultAlone: Locus {
    guard let witness = witness(from: 0, to: .max) else { return .none }
    let page = Case.page(of: witness.address)
    var site = FaultSite(from: page, end: page &+ Case.pageSize, witness: witness)
    site.page = page
    site.entry = scene.tables.lowest(at: page)
    return .fault(site)
  }

  /// 7.3: hmm_do_fault() failed after the walk.
  private func faultPhase(_ walk: WalkEvidence, from: UInt64) -> Locus {
    let witness = witness(from: from, to: walk.pendingEnd ?? walk.end)
    let page = Case.page(of: from)
    // mmap_lock is still held where this is seen: a mapping missing now was missing then.
    if witness == nil, let mapping = scene.mapping(at: page), !mapping.found {
      return .vanished(page)
    }
    return .fault(site(of: walk, witness: witness))
  }

  private func witness(from: UInt64, to end: UInt64) -> FaultEvidence? {
    scene.operation.faults.last {
      !VMFault(rawValue: $0.result).isDisjoint(with: .failures)
        && $0.address >= Case.page(of: from) && $0.address < end
    }
  }

  /// hmm_vma_walk_pmd() and _pud() by the entry they found.
  private func upper(_ walk: WalkEvidence, level: PageTableLevel) -> Locus {
    let entry = scene.traits.pageTables.decode(walk.entry, level: level)
    switch entry.kind {
    case .none:
      // Tail-called hmm_vma_walk_hole(), unseen.
      return walk.hasVMA ? .fault(site(of: walk)) : .gap(Case.page(of: walk.start))
    case .present, .protnone:
      // A leaf is never rejected; a fault for it can fail.
      return .fault(site(of: walk))
    case .table:
      return level == .pmd ? Replay(scene, walk: walk, isDirect: false).locus : .unclear
    case .devicePrivateRead, .devicePrivateWrite:
      // Device-private PMDs came with 7.x, which faults those of another owner.
      return scene.traits.faultsOutsideWalk ? .unclear : .fault(site(of: walk))
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
    .refusedEntry(.init(page: Case.page(of: walk.start), entry: entry, reason: reason))
  }

  private func site(of walk: WalkEvidence, witness: FaultEvidence? = nil) -> FaultSite {
    FaultSearch(scene, walk: walk).site(witness: witness)
  }
}
