// SPDX-License-Identifier: Apache-2.0

import Model

/// Finds the page at which hmm_vma_fault() (7.3: hmm_do_fault()) stopped.
///
/// It faults the pages of [last, end) in order, so those before the failing one are as wanted
/// afterwards, and the first that is not is the one.
struct FaultSearch {
  private let failure: Failure
  private let from: UInt64
  private let end: UInt64
  private let wantsWrite: Bool

  init(_ failure: Failure, walk: WalkEvidence) {
    self.init(
      failure, from: walk.last ?? walk.start, to: walk.pendingEnd ?? walk.end,
      wantsWrite: failure.wantsWrite(walk))
  }

  init(_ failure: Failure, from: UInt64, to end: UInt64, wantsWrite: Bool) {
    self.failure = failure
    self.from = Failure.page(of: from)
    self.end = end
    self.wantsWrite = wantsWrite
  }

  func site(_ witnesses: [FaultEvidence] = []) -> FaultSite {
    var site = FaultSite(from: from, end: end, witnesses: witnesses)
    site.page = witnesses.last.map { Failure.page(of: $0.address) } ?? search(from: from, to: end)
    site.entry = site.page.flatMap { failure.tables.lowest(at: $0) }
    return site
  }

  private func search(from: UInt64, to end: UInt64) -> UInt64? {
    // The kernel side took the table in which it found the page, perhaps not the first of the
    // range.
    let runs = [from] + failure.tables.faultedRuns.filter { $0 > from && $0 < end }
    for run in runs {
      let wanting = failure.tables.run(from: run, to: end).first { !isAsWanted($0.entry) }
      if let wanting { return wanting.page }
    }
    // No table at all, or a huge leaf: it then took all levels of that address.
    return failure.tables.levelAddresses.last { address in
      guard address >= from, address < end, let entry = failure.tables.lowest(at: address) else {
        return false
      }
      return !isAsWanted(entry)
    }
  }

  private func isAsWanted(_ entry: DecodedEntry) -> Bool {
    entry.isPresentLeaf && (entry.isWritable || !wantsWrite)
  }
}
