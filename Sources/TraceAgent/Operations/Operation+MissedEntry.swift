// SPDX-License-Identifier: Apache-2.0

import Model

extension Operation {
  /// What runs inside a verb or a worker whose entry was missed looks like a page fault of its own: nothing says on
  /// whose behalf the umem is mapped. The kernel stack of a failure does; where there is none, what asked for it was
  /// not seen, and `kindSeen` is false.
  ///
  /// Call it when the stack has its names. The operation then counts as incomplete.
  /// - Parameters:
  ///   - missed: functions of which runs may have been missed before or while it ran.
  ///   - watched: functions that were watched; nil: not known, taken for all.
  package mutating func correctMissedEntry(
    missed: Set<FunctionName> = [], watched: Set<FunctionName>? = nil
  ) {
    guard !kind.isSystemCall else { return }
    for frame in kernelStack {
      guard let function = frame.name?.prefix(while: { $0 != "+" && $0 != "." }),
        let asked = Kind.byAsker[String(function)]
      else { continue }
      guard asked != kind else { return }
      kind = asked
      kindSeen = true
      missedEntry()
      return
    }
    // The whole way down is there, and neither verb nor prefetch is on it.
    if isStackWhole {
      kind = .pageFault
      kindSeen = true
      return
    }
    // A worker is asked for nothing but prefetches and page faults, any other task for nothing but verbs, unless it
    // serves page faults itself, as soft-RoCE's did in the poster's task before it had workers.
    let askers = isByWorker ? Self.prefetches : Self.verbs
    let isBlind = !isByWorker && watched.map { askers.isDisjoint(with: $0) } ?? false
    guard isBlind || !missed.isDisjoint(with: askers) else { return }
    kind = .pageFault
    kindSeen = false
    missedEntry()
  }

  private mutating func missedEntry() {
    guard !entryMissed else { return }
    lost += 1
    entryMissed = true
  }

  /// The kernel stack reaches from the failure to where the task entered the kernel, and all of it has names.
  private var isStackWhole: Bool {
    !kernelStack.isEmpty && kernelStack.count < Self.stackLimit
      && kernelStack.allSatisfy { $0.name != nil }
  }

  /// MRT_STACK_MAX: where there are as many, there may have been more.
  private static let stackLimit = 64

  /// Run by a kernel worker, as far as it can be told: those have no user stack, no memory of their own and
  /// one thread, and their names.
  private var isByWorker: Bool {
    runner.comm.hasPrefix("kworker/") && runner.pid == runner.tid && ownerPID != runner.pid
      && userStack.isEmpty
  }

  private static let verbs = askers { $0.isSystemCall }
  private static let prefetches = askers { !$0.isSystemCall }

  private static func askers(_ isWanted: (Kind) -> Bool) -> Set<FunctionName> {
    Set(Kind.allCases.filter(isWanted).flatMap(\.askers))
  }
}
