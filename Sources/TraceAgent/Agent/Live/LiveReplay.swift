// SPDX-License-Identifier: Apache-2.0

import CEvents
import Diagnosis
import Events
import Explain
import Glibc
import Kernel
import Live
import Model
import Operations
import Recording
import Terminal

/// `live --replay`: a recording as it went, on the same screen; on any machine, without root.
package struct LiveReplay {
  private let settings: LiveSettings
  /// So many times as fast.
  private let speed: Double
  private let run: RecordedRun
  private var correlator: Correlator
  private var statistics: LiveStatistics
  private var events: RunEvents
  /// With the accounts of the whole recording: what was missed is told after the operations that it concerns.
  private var explainer: Explainer
  private var waiting: Event?
  private var pages = PageStatistics()
  private let startNs: UInt64
  private static let tickMs = 100

  package init(_ settings: LiveSettings, speed: Double, path: String) throws(AgentError) {
    self.settings = settings
    self.speed = speed
    do throws(RecordingError) {
      run = try RecordedRuns.open([path]).runs[0]
    } catch {
      throw .recording(error)
    }
    var explainer = Explainer(run, watched: run.environment.watchedFunctions)
    // Gone through twice.
    var records = run.views()
    var order = RecordOrder()
    while let record = records.next() {
      explainer.accounts.add(record)
      order.note(record.header)
    }
    self.explainer = explainer
    let environment = run.environment
    correlator = Correlator(
      hooks: environment.hookNames, configuration: .recording(completeFromNs: run.completeFromNs))
    correlator.wait(order.worstNs)
    events = run.events()
    waiting = events.next()
    startNs = waiting?.header.time_ns ?? 0
    statistics = LiveStatistics(startNs: startNs, clockOffsetNs: environment.clockOffsetNs)
  }

  /// The exit status.
  package mutating func show() throws(AgentError) -> Int32 {
    let subject = LiveScreen.Subject(
      what: "recording \(run.name)", kernel: run.environment.traits.release)
    var display = LiveDisplay(
      output: STDOUT_FILENO, wanted: settings.screen, json: settings.isJSON, subject: subject)
    let loop = try AgentError.wrapping { () throws(KernelError) in
      let loop = try EventLoop(ring: -1, tickMs: Self.tickMs)
      try display.watched(by: loop)
      return loop
    }
    let began = Clock.monotonic()
    let interval = UInt64(settings.interval * 1e9)
    var lastShown = began
    var hasEnded = false
    display.show(snapshot(at: startNs), isLast: false)
    while true {
      let wake = loop.wait()
      if display.react({ $0 }) { break }
      if wake.stop != nil { break }
      let now = Clock.monotonic()
      if let duration = settings.duration, Double(now - began) >= duration * 1e9 { break }
      guard !hasEnded else { continue }
      hasEnded = advance(to: time(at: now - began))
      // Lines end with the recording; the screen stays for who looks at it.
      if hasEnded, !display.hasScreen { break }
      if now - lastShown >= interval || hasEnded {
        lastShown = now
        display.show(snapshot(at: hasEnded ? correlatorEnd : time(at: now - began)), isLast: false)
      }
    }
    display.show(snapshot(at: hasEnded ? correlatorEnd : lastNs), isLast: true)
    display.close()
    return 0
  }

  /// Of the last event taken in.
  private var lastNs: UInt64 = 0
  private var correlatorEnd: UInt64 { max(lastNs, startNs) }

  /// The recording's time after `elapsedNs` of ours.
  private func time(at elapsedNs: UInt64) -> UInt64 {
    let passed = Double(elapsedNs) * speed
    let (sum, overflow) = startNs.addingReportingOverflow(passed < 1e18 ? UInt64(passed) : 1 << 60)
    return overflow ? .max : sum
  }

  /// Takes in what had happened by `timeNs`. True at the end.
  private mutating func advance(to timeNs: UInt64) -> Bool {
    while let event = waiting, event.header.time_ns <= timeNs {
      lastNs = max(lastNs, event.header.time_ns)
      pages.add(event, part: events.part)
      take(correlator.add(event))
      waiting = events.next()
    }
    guard waiting == nil else { return false }
    take(correlator.finish())
    return true
  }

  private mutating func take(_ operations: [Operation]) {
    for ended in operations {
      let (operation, diagnosis) = explainer.explain(ended)
      statistics.add(operation, diagnosis: diagnosis)
    }
  }

  private mutating func snapshot(at timeNs: UInt64) -> LiveSnapshot {
    var snapshot = statistics.snapshot(
      counters: nil, pages: pages.counts(format: run.environment.traits.pageTables), nowNs: timeNs)
    snapshot.isAttached = false
    snapshot.blindness = run.environment.sight.blindness
    for hook in explainer.accounts.hooks(run.environment.hookNames) {
      snapshot.losses += hook.losses.map {
        .init(function: hook.function, what: $0.what, count: $0.count)
      }
    }
    return snapshot
  }
}
