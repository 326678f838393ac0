// SPDX-License-Identifier: Apache-2.0

import CEvents
import Diagnosis
import Events
import Explain
import Kernel
import Model
import Monitor
import Operations

/// Records of the ring buffer to explained failures.
///
/// Names of functions in stacks are left to recordings: here they would only grow. A class, because
/// the pump that reads the ring buffer hands records to it while both are in use.
final class MonitorFeed {
  private(set) var failures = FailureCounts()
  private var correlator: Correlator
  private var explainer: RunningExplainer
  /// What is seen, as far as that is known.
  var sight: Sight? {
    get { explainer.sight }
    set { explainer.sight = newValue }
  }

  init(traits: KernelTraits, plan: HookPlan) {
    var symbols: [UInt32: String] = [:]
    // Modules that come later have their functions under the same numbers.
    for row in plan.rows.filter({ !$0.isAttached }) + plan.attached() {
      symbols[row.hook.id.rawValue] = row.hook.symbol
    }
    let hooks = HookNames(symbols: symbols)
    correlator = Correlator(hooks: hooks, configuration: .live)
    explainer = RunningExplainer(
      hooks: hooks, traits: traits, watched: Self.watched(plan, now: 0))
  }

  /// Hooks have come or gone.
  func planned(_ plan: HookPlan, now: UInt64) {
    explainer.watched = Self.watched(plan, now: now)
  }

  /// Hooks of modules are evidence of what did not happen only of what began after they came.
  private static func watched(_ plan: HookPlan, now: UInt64) -> Explainer.Watched {
    let attached = plan.attached()
    return Explainer.Watched(
      Set(attached.map(\.hook.symbol)),
      earlier: Set(attached.filter { $0.module == nil }.map(\.hook.symbol)), fromNs: now)
  }

  /// One record as the kernel wrote it.
  func add(_ record: UnsafeRawBufferPointer) {
    guard let event = try? EventDecoder.decode(record) else { return }
    take(correlator.add(event))
  }

  /// So many wait that they should be explained at once.
  var isFull: Bool { explainer.count >= Self.waitingLimit }
  private static let waitingLimit = 1024

  /// Takes in what the kernel has counted: often, so that a miss is known to be of a short time.
  func look(_ tallies: [HookTally], now: UInt64) {
    explainer.look(tallies, now: now)
  }

  /// Failures that can be explained by now.
  func explained(_ tracer: borrowing Tracer, now: UInt64, isLast: Bool = false) -> [Diagnosis] {
    take(isLast ? correlator.finish() : correlator.advance(to: now))
    guard explainer.count > 0 else { return [] }
    look(tracer.tallies(), now: now)
    var diagnoses: [Diagnosis] = []
    while let (_, diagnosis) = explainer.next() {
      if let diagnosis { diagnoses.append(diagnosis) }
    }
    for diagnosis in diagnoses { failures.add(diagnosis) }
    return diagnoses
  }

  private func take(_ operations: [Operation]) {
    for operation in operations where operation.failed { explainer.add(operation) }
  }
}
