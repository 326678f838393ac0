// SPDX-License-Identifier: Apache-2.0

import Model

/// Whether the evidence of a failed operation can all be of that one operation, and what is left of it.
///
/// Records carry the number of the operation that their task was in. Where the kernel skipped the programs that end
/// one and begin the next, records of consecutive calls of a thread have the same number. What gives them away: their
/// times, the order in which functions return, arguments, and errnos that do not follow from one another.
struct Fit: Sendable {
  /// Without what is of another call, the rest in order of time.
  private(set) var operation: Operation
  /// Why nothing of it counts as proved; empty where all of it fits.
  private(set) var reasons: [String] = []
  /// There was evidence of another call, so that what is lacking says nothing.
  private(set) var isDoubtful = false

  private var returns: [Return] = []
  /// It may be the beginning of one call and the end of another.
  let missesRoot: Bool
  /// A call that was seen to end only: what is known of it was read then.
  private let isEndOnly: Bool

  /// The return of a function that failed.
  private struct Return {
    var function: FunctionName
    var timeNs: UInt64
    var errno: Errno
    var arguments: [UInt64] = []
    var range: Range<UInt64>?
  }

  init(_ operation: Operation, missed: MissedRuns) {
    self.operation = operation
    missesRoot = !missed.joints.isDisjoint(with: operation.roots)
    isEndOnly = operation.startNs == nil && operation.entryMissed
    sort()
    keepOwnTime()
    collect()
    keepLastChain()
    keepWhatLedToTheResult()
    if missesRoot { doubtBeginning() }
    if missesRoot || isDoubtful { doubtArguments() }
  }

  /// Records may come in another order than they were written in, or twice.
  private mutating func sort() {
    operation.umems.sortByTime(\.timeNs)
    operation.layers.sortByTime(\.timeNs)
    operation.ranges.sortByTime(\.timeNs)
    operation.walks.sortByTime(\.timeNs)
    operation.faults.sortByTime(\.timeNs)
    operation.levels.sortByTime { $0.timeNs ?? 0 }
    operation.entries.sortByTime { $0.timeNs ?? 0 }
    operation.mappings.sortByTime { $0.timeNs ?? 0 }
    operation.umems.dropRepeated()
    operation.layers.dropRepeated()
    operation.ranges.dropRepeated()
    operation.walks.dropRepeated()
    operation.faults.dropRepeated()
  }

  /// What was taken before its start or after its end is another's.
  private mutating func keepOwnTime() {
    let start = operation.lentFrom?.lowerBound ?? operation.startNs ?? 0
    let end = operation.lentFrom?.upperBound ?? operation.endNs
    drop("lie outside of its time") { $0 < start || $0 > end }
  }

  private mutating func collect() {
    returns = []
    for walk in operation.walks where Failure.isFailure(walk.result) {
      guard let errno = walk.errno else { continue }
      let isFaultPhase = walk.function == "hmm_range_fault_locked"
      returns.append(
        Return(
          function: isFaultPhase ? ErrnoFlow.faultPhase : walk.function, timeNs: walk.timeNs,
          errno: errno, range: walk.start < walk.end ? walk.start..<walk.end : nil))
    }
    for range in operation.ranges where Failure.isFailure(range.result) {
      guard let errno = range.errno else { continue }
      returns.append(
        Return(
          function: range.function, timeNs: range.timeNs, errno: errno,
          range: range.start < range.end ? range.start..<range.end : nil))
    }
    // What a page fault or a pin calls is no link of the chain.
    for layer in operation.layers where ErrnoFlow.byFunction[layer.function] != nil {
      guard let errno = layer.errno else { continue }
      returns.append(
        Return(
          function: layer.function, timeNs: layer.timeNs, errno: errno, arguments: layer.arguments))
    }
    returns.sortByTime(\.timeNs)
  }

  /// A function returns before its caller does, and in one operation each failing one once: after a return that is
  /// not of a caller of the one before, another call has begun.
  private mutating func keepLastChain() {
    var first = 0
    for index in returns.indices.dropFirst() where !continues(index) { first = index }
    guard first > 0 else { return }
    keep(from: first, "are of earlier calls of its thread, whose ends were not seen")
    // Which of the calls began then is not known.
    if operation.lentFrom == nil { operation.startNs = nil }
  }

  private func continues(_ index: Int) -> Bool {
    let (inner, outer) = (returns[index - 1], returns[index])
    // pagefault_implicit_mr() updates its tables though a child has failed.
    if outer.function == "mlx5r_umr_update_xlt",
      [Self.map, "ib_umem_odp_alloc_child"].contains(inner.function)
    {
      return true
    }
    guard ErrnoFlow.isCaller(outer.function, of: inner.function) else { return false }
    if let inside = inner.range, let around = outer.range {
      return around.contains(inside.lowerBound)
    }
    if outer.function == Self.map, let inside = inner.range, outer.arguments.count >= 3,
      outer.arguments[2] > 0
    {
      // Rounded to the umem's page size, which is 4 KiB or that of huge pages.
      let (end, wraps) = outer.arguments[1].addingReportingOverflow(outer.arguments[2])
      return inside.lowerBound < (wraps ? .max : end)
        && inside.upperBound > outer.arguments[1] & ~0x1f_ffff
    }
    return true
  }

  /// Each errno must follow from the one before, and the operation's from the last one; and all must have been asked
  /// for what the operation was asked for.
  private mutating func keepWhatLedToTheResult() {
    guard !returns.isEmpty else { return }
    let passages = returns.indices.map(passage)
    var first = passages.lastIndex { $0 == nil }.map { $0 + 1 } ?? 0
    if let odd = returns.lastIndex(where: { !isOfRequest($0) }) { first = max(first, odd + 1) }
    if let replaced = passages[first...].lastIndex(of: .replaced) {
      let inner = returns[replaced]
      if missesRoot || !operation.isComplete {
        // It may as well be another call's.
        first = replaced + 1
      } else {
        reasons.append(
          "\(inner.function) returned -\(inner.errno), which a driver that is not watched seems to have replaced"
        )
      }
    }
    keep(from: first, "do not fit what it was asked for and returned: they are of another call")
  }

  /// How the errno of a return came to the next one, of the last one to the operation; nil: it cannot have.
  private func passage(_ index: Int) -> ErrnoFlow.Passage? {
    let inner = returns[index]
    if index + 1 < returns.count {
      let outer = returns[index + 1]
      // A sibling, see continues().
      if outer.function == "mlx5r_umr_update_xlt" { return .certain }
      return ErrnoFlow.passage(
        from: inner.function, inner.errno, to: outer.function, outer.errno)
    }
    guard let errno = Errno(result: operation.result) else { return nil }
    guard let root = operation.chainRoot, root != inner.function else {
      return errno == inner.errno ? .certain : nil
    }
    return ErrnoFlow.passage(from: inner.function, inner.errno, to: root, errno)
  }

  /// The arguments of a driver's or the core's function are those of the operation, as far as both are known.
  private func isOfRequest(_ one: Return) -> Bool {
    let arguments = one.arguments
    // Of all of them the first is a pointer; where it is none, they are not known.
    guard let pointer = arguments.first, pointer != 0 else { return true }
    func same(_ place: Int, _ value: UInt64?) -> Bool {
      guard let value, place < arguments.count else { return true }
      return arguments[place] == value
    }
    switch one.function {
    case "rxe_ib_advise_mr", "mlx5_ib_advise_mr":
      guard let advice = operation.advice, arguments.count >= 5, arguments[3] != 0 else {
        return true
      }
      return UInt32(truncatingIfNeeded: arguments[1]) == advice.advice
        && UInt32(truncatingIfNeeded: arguments[2]) == advice.flags
        && UInt32(truncatingIfNeeded: arguments[4]) == advice.sgeCount
    case "rxe_reg_user_mr", "mlx5_ib_reg_user_mr":
      guard operation.kind == .regMR else { return true }
      let mr = operation.mr
      return same(1, mr.address) && same(2, mr.length) && same(3, mr.iova)
    case "ib_umem_get", "__ib_umem_get_va", "ib_umem_odp_get":
      // Drivers may round what they pin.
      guard operation.kind == .regMR, let address = operation.mr.address,
        let length = operation.mr.length, arguments.count >= 3, length > 0
      else { return true }
      return arguments[1] == address
        || arguments[1] < address &+ length && address < arguments[1] &+ arguments[2]
    case Self.map:
      guard arguments.count >= 3, arguments[2] > 0 else { return true }
      if let umem = operation.umemIdentity, umem != arguments[0] { return false }
      guard let request = operation.request else { return true }
      switch operation.kind {
      case .adviseMR:
        guard operation.advice?.sgeCount == 1 else { return true }
        // soft-RoCE takes the address as it is, others by the MR's iova; an implicit MR's children are parts of it.
        guard returns.contains(where: { $0.function == "rxe_ib_advise_mr" }) else {
          return arguments[2] <= request.length
        }
        let mr = operation.mr
        let inMR = mr.iova.flatMap { iova in mr.address.map { request.start &- iova &+ $0 } }
        // Its length is an int.
        return [request.start, inMR].contains(arguments[1])
          && UInt32(truncatingIfNeeded: arguments[2]) == UInt32(truncatingIfNeeded: request.length)
      case .pageFault, .prefetch:
        return operation.root != Self.map
          || arguments[1] == request.start && arguments[2] == request.length
      default: return true
      }
    default: return true
    }
  }

  /// An end and a beginning of the hook that begins and ends it were missed: it may be the beginning of one call and the
  /// end of another, and what is known of it is of the one that ended.
  private mutating func doubtBeginning() {
    let names = operation.roots.sorted().joined(separator: " or ")
    reasons.append("runs of \(names), which begins and ends it, were missed while it ran")
    // It may have begun later, and taken less time.
    operation.startNs = nil
    if let last = returns.last, operation.lentFrom == nil,
      operation.endNs > last.timeNs, operation.endNs - last.timeNs > Self.returnNs
    {
      keep(from: returns.count, "are long before its end, and may be of an earlier call")
    }
    guard operation.kind == .adviseMR, !returns.contains(where: { $0.function == Self.map }) else {
      return
    }
    forgetMR()
  }

  /// A verb's arguments are read when it ends, from where they were when it began: of another call than that, they may
  /// be anything. A function that it called and that was asked for the same says that they are its own.
  private mutating func doubtArguments() {
    guard operation.lentFrom == nil, !isEndOnly else { return }
    let witnesses: Set<FunctionName>
    switch operation.kind {
    case .pageFault, .prefetch: return
    case .adviseMR: witnesses = ["rxe_ib_advise_mr", "mlx5_ib_advise_mr", Self.map]
    default:
      witnesses = [
        "rxe_reg_user_mr", "mlx5_ib_reg_user_mr", "ib_umem_get", "__ib_umem_get_va",
        "ib_umem_odp_get",
      ]
    }
    // Those of others are not kept.
    if returns.contains(where: { witnesses.contains($0.function) }) { return }
    // Where its beginning was missed they are what the map function was asked for.
    if operation.root == Self.map { return }
    operation.request = nil
    operation.lkey = nil
    operation.advice = nil
    operation.device = nil
    operation.deviceHasODP = nil
    operation.deviceFlush = nil
    operation.driverHasAdvise = nil
    operation.umemIdentity = nil
    operation.mr = MemoryRegion()
  }

  /// Where it did not come to a map function, its umem is the one that another call used.
  private mutating func forgetMR() {
    operation.umemIdentity = nil
    operation.mr = MemoryRegion()
  }

  /// From a driver's return to the verb's; longer where the task was preempted between them.
  private static let returnNs: UInt64 = 10_000_000
  private static let map = "ib_umem_odp_map_dma_and_lock"

  /// Drops the first `first` of the returns, and with them all that was taken for them.
  private mutating func keep(from first: Int, _ why: String) {
    guard first > 0 else { return }
    let cut = returns[first - 1].timeNs
    let next = first < returns.count ? returns[first].timeNs : .max
    let odd = Set(returns[..<first].map(\.arguments).filter { !$0.isEmpty }.map { $0[0] })
    // A map function's umem is told after it.
    let umems = operation.umems.count
    operation.umems.removeAll {
      $0.function == Self.map && $0.timeNs > cut && $0.timeNs < next && odd.contains($0.identity)
    }
    drop(why, besides: umems - operation.umems.count) { $0 <= cut }
    collect()
    if operation.kind == .adviseMR, !returns.contains(where: { $0.function == Self.map }) {
      forgetMR()
    }
  }

  /// Drops evidence by its time; what has none goes where anything else went.
  private mutating func drop(
    _ why: String, besides already: Int = 0, where isOdd: (UInt64) -> Bool
  ) {
    let before = operation.evidenceCount
    operation.umems.removeAll { isOdd($0.timeNs) }
    operation.layers.removeAll { isOdd($0.timeNs) }
    operation.ranges.removeAll { isOdd($0.timeNs) }
    operation.walks.removeAll { isOdd($0.timeNs) }
    operation.faults.removeAll { isOdd($0.timeNs) }
    operation.levels.removeAll { $0.timeNs.map(isOdd) ?? false }
    operation.entries.removeAll { $0.timeNs.map(isOdd) ?? false }
    operation.mappings.removeAll { $0.timeNs.map(isOdd) ?? false }
    if let time = operation.stackNs, isOdd(time) {
      operation.kernelStack = []
      operation.userStack = []
      operation.stackNs = nil
    }
    let dropped = before - operation.evidenceCount + already
    guard dropped > 0 else { return }
    isDoubtful = true
    operation.levels.removeAll { $0.timeNs == nil }
    operation.entries.removeAll { $0.timeNs == nil }
    operation.mappings.removeAll { $0.timeNs == nil }
    reasons.append("\(count(UInt64(dropped), "record")) with its number \(why)")
  }
}
