// SPDX-License-Identifier: Apache-2.0

import Model

/// Finds where HMM stopped though no page-walk callback was seen to fail.
///
/// The kernel may have skipped the callback's program. When the range fault returns, the mappings and entries of its
/// range are still those that decided, and are recorded then (send_unseen() of bpf/hmm.h), or a moment later, when the
/// map function returns (tell_late()). HMM goes through a range in order of address, and what comes before the page at
/// which it stops is as it was wanted.
struct UnseenCallback {
  private let failure: Failure
  private let range: RangeEvidence
  private let wantsWrite: Bool
  private let rules: HMMRules

  /// nil: a callback was seen, or nothing that tells of the range.
  init?(_ failure: Failure) {
    guard failure.walks.isEmpty, let range = failure.ranges.first ?? Self.mappedRange(failure),
      range.start < range.end,
      [Errno.fault, .perm].contains(range.errno)
    else { return nil }
    self.failure = failure
    self.range = range
    wantsWrite = range.defaultFlags & 1 << 62 != 0
    rules = HMMRules(failure.traits)
  }

  /// The range fault was not seen either: what was to be mapped, where that lies in the umem, is what HMM went through.
  private static func mappedRange(_ failure: Failure) -> RangeEvidence? {
    guard let map = failure.failedMap, failure.isInsideUmem(map) == true else { return nil }
    let (start, length) = (map.arguments[1], map.arguments[2])
    // HMM_PFN_WRITE, or ODP_WRITE_ALLOWED_BIT of kernels before 6.16
    let wantsWrite = map.arguments[3] & (1 << 62 | 2) != 0
    return RangeEvidence(
      function: "hmm_range_fault", timeNs: map.timeNs, result: map.result,
      start: Failure.page(of: start),
      end: Failure.page(of: start &+ length &+ Failure.pageSize - 1),
      defaultFlags: wantsWrite ? 1 << 62 : 0, rung: map.rung)
  }

  var locus: Locus {
    let refusal = firstRefusal
    let mappings = failure.operation.mappings.filter {
      $0.found && $0.end > range.start && $0.start < refusal?.page ?? range.end
    }
    // Only there an entry can be refused that looks like any other.
    guard !mappings.contains(where: { $0.isFSDAX || $0.flags.contains(.mixedMap) }) else {
      return .unclear
    }
    let site = FaultSearch(failure, from: range.start, to: range.end, wantsWrite: wantsWrite).site()
    if let refusal, refusal.page <= site.page ?? .max { return agrees(refusal.locus) }
    guard let page = site.page, let entry = site.entry else { return .none }
    guard entry.level == .pte else { return .unclear }
    if case .refused(let reason) = rules.verdict(entry, wantsWrite: wantsWrite, isZeroPage: false) {
      return agrees(.refusedEntry(RefusedEntry(page: page, entry: entry, reason: reason)))
    }
    return agrees(.fault(site))
  }

  /// The lowest page of the range in a mapping that HMM refuses, or in none.
  private var firstRefusal: (page: UInt64, locus: Locus)? {
    let candidates = failure.operation.mappings.compactMap { mapping -> (UInt64, Locus)? in
      guard mapping.found else {
        let page = Failure.page(of: mapping.address)
        return page >= Failure.page(of: range.start) && page < range.end ? (page, .gap(page)) : nil
      }
      guard mapping.end > range.start, mapping.start < range.end else { return nil }
      let page = Failure.page(of: max(mapping.start, range.start))
      if rules.refusal(of: mapping.flags) != nil { return (page, .refusedMapping(page)) }
      return wantsWrite && rules.refusesWrite(to: mapping.flags) ? (page, .notWritable(page)) : nil
    }
    return candidates.min { $0.0 < $1.0 }
  }

  /// -EPERM is for writing alone, and writing gives nothing else.
  private func agrees(_ locus: Locus) -> Locus {
    if case .notWritable = locus { return range.errno == .perm ? locus : .unclear }
    return range.errno == .fault ? locus : .unclear
  }
}
