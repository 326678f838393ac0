// SPDX-License-Identifier: Apache-2.0

import CEvents
import Diagnosis
import Events
import Explain
import Kernel
import Live
import Model
import Operations

/// Records of the ring buffer to the numbers of the live views.
struct LiveFeed {
  private var correlator: Correlator
  private var statistics: LiveStatistics
  private var names = StackNames()
  private let traits: KernelTraits
  private var explainer: RunningExplainer
  /// What is seen, as far as that is known.
  var sight: Sight? {
    get { explainer.sight }
    set { explainer.sight = newValue }
  }

  /// More failures between two looks are explained at once, as if everything had been missed.
  private static let failedLimit = 4096

  init(traits: KernelTraits, plan: HookPlan, run: RunIdentity) {
    var symbols: [UInt32: String] = [:]
    for row in plan.attached() { symbols[row.hook.id.rawValue] = row.hook.symbol }
    let hooks = HookNames(symbols: symbols)
    correlator = Correlator(hooks: hooks, configuration: .live)
    statistics = LiveStatistics(startNs: Clock.monotonic(), clockOffsetNs: run.clockOffsetNs)
    self.traits = traits
    // Hooks of modules that come later are no evidence of what did not happen.
    let watched = Explainer.Watched(Set(plan.attached().map(\.hook.symbol)))
    explainer = RunningExplainer(hooks: hooks, traits: traits, watched: watched)
  }

  /// One record as the kernel wrote it.
  mutating func add(_ record: UnsafeRawBufferPointer) {
    guard let event = try? EventDecoder.decode(record) else { return }
    if case .stack(let stack) = event {
      for symbol in names.learn(stack, timeNs: stack.header.time_ns) {
        take(correlator.add(symbol))
      }
    }
    take(correlator.add(event))
  }

  /// Takes in what need wait no longer, and tells the state.
  mutating func snapshot(of tracer: borrowing Tracer, nowNs: UInt64) -> LiveSnapshot {
    take(correlator.advance(to: nowNs))
    let tallies = tracer.tallies()
    explainer.look(tallies, now: nowNs)
    while let (operation, diagnosis) = explainer.next() {
      statistics.add(operation, diagnosis: diagnosis)
    }
    var counters = Self.counters(of: tracer, tallies, traits: traits)
    counters.blindness = sight?.warnings ?? []
    return statistics.snapshot(counters: counters, nowNs: nowNs)
  }

  /// No record follows: what was still waiting is taken in.
  mutating func finish() { take(correlator.finish()) }

  /// `failure` with the names of the kernel's functions, which cost a pass over all symbols.
  func named(_ failure: LiveSnapshot.Failure) -> LiveSnapshot.Failure {
    var failure = failure
    let stack = failure.diagnosis.operation.kernelStack
    let addresses = Set(stack.filter { $0.name == nil }.map(\.address))
    guard !addresses.isEmpty else { return failure }
    let names = KernelSymbols.names(of: addresses)
    failure.diagnosis.operation.kernelStack = stack.map { frame in
      StackFrame(address: frame.address, name: frame.name ?? names[frame.address])
    }
    failure.diagnosis.operation.dropTracingFrames()
    return failure
  }

  private mutating func take(_ operations: [Operation]) {
    for ended in operations {
      if !ended.failed {
        statistics.add(ended, diagnosis: nil)
      } else if explainer.count < Self.failedLimit {
        explainer.add(ended)
      } else {
        let (operation, diagnosis) = explainer.explainAtOnce(ended)
        statistics.add(operation, diagnosis: diagnosis)
      }
    }
  }

  /// What the kernel side has counted.
  static func counters(
    of tracer: borrowing Tracer, _ tallies: [HookTally], traits: KernelTraits
  ) -> LiveCounters {
    var counters = LiveCounters()
    let latencies = tracer.latencies()
    for kind in Operation.Kind.allCases {
      var durations = LiveCounters.Durations()
      durations.succeeded = latencies.succeeded[kind] ?? LogBuckets()
      durations.failed = latencies.failed[kind] ?? LogBuckets()
      counters.operations[kind] = durations
    }
    counters.invalidations = latencies.invalidations
    var pages = PageStatistics()
    for (key, count) in tracer.pageCounts() { pages.add(Event.pages(key, count: count, timeNs: 0)) }
    counters.pages = pages.counts(format: traits.pageTables)
    for tally in tallies {
      for (what, count) in [
        ("ring_full", tally.tally.lost), ("missed", tally.missed),
        ("missed_returns", tally.missedReturns), ("missed_entries", tally.missedEntries),
        ("missed_evidence", tally.missedEvidence),
        ("unstarted", tally.tally.unstarted), ("untracked", tally.tally.untracked),
      ] where count > 0 {
        counters.losses.append(.init(function: tally.row.hook.symbol, what: what, count: count))
      }
    }
    counters.gaps = tracer.plan.gaps
    return counters
  }
}
