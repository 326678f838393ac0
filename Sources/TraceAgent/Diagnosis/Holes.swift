// SPDX-License-Identifier: Apache-2.0

import Model

private let walkCallbacks = WatchedFunction.names(of: .walk)
private let rangeFaults = WatchedFunction.names(of: .range)
private let pins = WatchedFunction.names(of: .pin)
private let map: FunctionName = "ib_umem_odp_map_dma_and_lock"

extension Failure {
  /// Where the chain lacks a function of which runs were missed meanwhile, a reason each: it may have
  /// failed unseen.
  var holes: [String] { headless + missedRuns + unseenCallback }

  /// What refused was found afterwards, by looking through the range once more.
  private var unseenCallback: [String] {
    switch locus {
    case .none, .unclear: return []
    default:
      guard UnseenCallback(self) != nil, operation.faults.isEmpty else { return [] }
      return ["which function of the page walk refused was not seen"]
    }
  }

  /// The deepest function seen cannot be the first to return its errno, and what it calls was watched.
  private var headless: [String] {
    guard let deepest = deepest, !ErrnoFlow.begins(deepest.function, with: deepest.errno),
      let row = ErrnoFlow.byFunction[deepest.function], wouldHaveSeen(row.calls)
    else { return [] }
    return [
      "-\(deepest.errno) of \(deepest.function) comes from a function that it calls, of which there is no record"
    ]
  }

  /// The first return of the chain.
  private var deepest: (function: FunctionName, errno: Errno)? {
    let all =
      walks.map {
        (
          $0.function == "hmm_range_fault_locked" ? ErrnoFlow.faultPhase : $0.function, $0.timeNs,
          $0.result
        )
      }
      + ranges.map { ($0.function, $0.timeNs, $0.result) }
      + layers.filter { ErrnoFlow.byFunction[$0.function] != nil }.map {
        ($0.function, $0.timeNs, $0.result)
      }
    guard let first = all.min(by: { $0.1 < $1.1 }), let errno = Errno(result: first.2) else {
      return nil
    }
    return (first.0, errno)
  }

  private var missedRuns: [String] {
    guard !missed.isEmpty else { return [] }
    // Nothing was seen: whatever was missed may have been there.
    if isBare { return reasons(missed) }
    // A pin does not come near HMM.
    if layers.contains(where: { pins.contains($0.function) }) { return [] }
    var absent: Set<FunctionName> = []
    if walks.isEmpty { absent.formUnion(walkCallbacks) }
    // 7.3 has one inside the other; the inner one's failed fault is told as a walk.
    absent.formUnion(rangeFaults.subtracting(ranges.map(\.function) + walks.map(\.function)))
    if !layers.contains(where: { $0.function == map }) { absent.insert(map) }
    if walks.isEmpty, ranges.isEmpty { absent.formUnion(pins) }
    return reasons(absent.intersection(missed))
  }

  private func reasons(_ functions: Set<FunctionName>) -> [String] {
    functions.sorted().map {
      "runs of \($0) were missed while it ran, and its chain lacks it"
    }
  }
}
