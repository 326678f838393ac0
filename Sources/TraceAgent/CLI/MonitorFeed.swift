// SPDX-License-Identifier: Apache-2.0

import CEvents
import Diagnosis
import Events
import Kernel
import Model
import Monitor
import Operations
import Pump
import Recording

/// Records of the ring buffer to explained failures.
///
/// Names of functions in stacks are left to recordings: here they would only grow. A class, because
/// the pump that reads the ring buffer hands records to it while both are in use.
final class MonitorFeed {
  private(set) var failures = FailureCounts()
  private var correlator: Correlator
  private let hooks: HookNames
  private let traits: KernelTraits
  /// Hooks of modules are evidence of what did not happen only of what began after they came.
  private var watched: Set<FunctionName> = []
  private var watchedInKernel: Set<FunctionName> = []
  private var watchedFromNs: UInt64 = 0
  /// Failed operations wait for the next look at the kernel's counts: where a hook of theirs missed
  /// a run, nothing of them is proved.
  private var failed: [Operation] = []
  /// What is seen, as far as that is known.
  var sight: Sight?
  private var losses = LossWatch()
  private var accounts = RecordedAccounts()

  init(traits: KernelTraits, plan: HookPlan) {
    var symbols: [UInt32: String] = [:]
    // Modules that come later have their functions under the same numbers.
    for row in plan.rows.filter({ !$0.isAttached }) + plan.attached() {
      symbols[row.hook.id.rawValue] = row.hook.symbol
    }
    hooks = HookNames(symbols: symbols)
    correlator = Correlator(hooks: hooks, configuration: .live)
    self.traits = traits
    planned(plan, now: 0)
  }

  /// Hooks have come or gone.
  func planned(_ plan: HookPlan, now: UInt64) {
    let attached = plan.attached()
    watched = Set(attached.map(\.hook.symbol))
    watchedInKernel = Set(attached.filter { $0.module == nil }.map(\.hook.symbol))
    watchedFromNs = now
  }

  /// One record as the kernel wrote it.
  func add(_ record: UnsafeRawBufferPointer) {
    guard let event = try? EventDecoder.decode(record) else { return }
    take(correlator.add(event))
  }

  /// So many wait that they should be explained at once.
  var isFull: Bool { failed.count >= Self.waitingLimit }
  private static let waitingLimit = 1024

  /// Takes in what the kernel has counted: often, so that a miss is known to be of a short time.
  func look(_ tallies: [HookTally], now: UInt64) {
    for event in losses.look(tallies, ReceivedRecords(), now: now) { accounts.add(event) }
    accounts.foldOld(now: now)
  }

  /// Failures that can be explained by now.
  func explained(_ tracer: borrowing Tracer, now: UInt64, isLast: Bool = false) -> [Diagnosis] {
    take(isLast ? correlator.finish() : correlator.advance(to: now))
    guard !failed.isEmpty else { return [] }
    look(tracer.tallies(), now: now)
    defer { failed.removeAll(keepingCapacity: true) }
    return failed.compactMap { ended in
      var operation = ended
      operation.correctMissedEntry(
        missed: accounts.missed(before: operation, hooks), watched: watched)
      return explain(operation, missed: accounts.missed(during: operation, hooks))
    }
  }

  private func take(_ operations: [Operation]) {
    for operation in operations where operation.failed { failed.append(operation) }
  }

  private func explain(_ operation: Operation, missed: MissedRuns) -> Diagnosis? {
    let isNewer = operation.startNs.map { $0 >= watchedFromNs } ?? (watchedFromNs == 0)
    guard
      let diagnosis = diagnose(
        operation, traits: traits, watched: isNewer ? watched : watchedInKernel, missed: missed,
        sight: sight)
    else { return nil }
    failures.add(diagnosis)
    return diagnosis
  }
}
