// SPDX-License-Identifier: Apache-2.0

import Events
import Glibc
import Kernel
import Model
import Pump
import Recording
import Report
import Terminal

/// A recording while it runs, from the first record to the last. One thread owns everything.
struct RecordRun: ~Copyable {
  private static let secondNs: UInt64 = 1_000_000_000

  private let settings: RecordSettings
  private let identity: RunIdentity
  private let path: String
  private var attached: Attachment
  private var pump: RecordPump
  private var workload: Workload
  /// nil: there is none, or it has gone.
  private var screen: RecordScreen? { didSet { pump.observer = screen } }
  private var losses = LossWatch()
  private var progress = ProgressLine(style: Output.style(of: STDERR_FILENO))
  private let started = Clock.monotonic()
  private var lastLook: UInt64

  init(
    _ settings: RecordSettings, _ identity: RunIdentity, path: String,
    _ attached: consuming Attachment, _ pump: consuming RecordPump,
    _ workload: consuming Workload, _ screen: RecordScreen?
  ) {
    self.settings = settings
    self.identity = identity
    self.path = path
    self.attached = attached
    self.pump = pump
    self.workload = workload
    self.screen = screen
    self.pump.observer = screen
    lastLook = started
  }

  /// The exit status.
  mutating func run() throws(AgentError) -> Int32 {
    while !workload.isOver, pump.failure == nil { turn(attached.loop.wait()) }
    closeScreen()
    Output.notes(progress.clear())
    let isComplete = try finish()
    if settings.isStrict, !isComplete { return ExitStatus.lost }
    return workload.exitStatus(passingOutputTo: STDERR_FILENO)
  }

  private mutating func turn(_ wake: EventLoop.Wake) {
    drain()
    let now = Clock.monotonic()
    let wantsEnd = screen?.turn(attached.tracer, now: now) ?? false
    pump.flush(now: now)
    if settings.isFlightRecorder, pump.trigger.isDue(at: now) { write(.failure) }
    if wake.write { write(.signal) }
    guard pump.failure == nil else { return }
    workload.attend(to: wake.stop ?? (wantsEnd ? SIGTERM : nil), attached.loop, now: now)
    if losses.isDue(at: now) {
      pump.tell(losses.look(attached.tracer.tallies(), pump.tally, now: now))
    }
    if now - lastLook >= Self.secondNs {
      lastLook = now
      eachSecond(now: now)
    }
  }

  /// Takes all that the kernel has sent, over as many parts as that needs.
  private mutating func drain() {
    pump.drain(attached.ring)
    while pump.isFull {
      let now = Clock.monotonic()
      pump.lost(attached.tracer.lostByCPU())
      pump.beginPart(totals: totals(now: now), now: now)
      pump.drain(attached.ring)
    }
  }

  /// What need not be done at once.
  private mutating func eachSecond(now: UInt64) {
    pump.checkPlace()
    pump.lost(attached.tracer.lostByCPU())
    let before = attached.sight.warnings
    if let changes = attached.look() {
      attached.tracer.dropPrivileges(writing: [path], command: workload.hasCommand)
      pump.update(attached.environment(of: identity, detail: settings.detail))
      for warning in attached.sight.warnings where !before.contains(warning) { tell(warning) }
      screen?.sight = attached.sight
      if changes.isAny { tell(DoctorFacts.line(attached.tracer.plan)) }
    }
    workload.lookForProcesses()
    // A command's own output has the terminal for itself.
    if !workload.hasCommand, screen == nil {
      Output.notes(progress.show(pump.progress(elapsedNs: now - started)))
    }
  }

  /// Writes what waits, or what the flight recorder holds.
  private mutating func write(_ reason: RecordingEnvironment.PartEnd) {
    // What has come since belongs to it.
    drain()
    let now = Clock.monotonic()
    pump.lost(attached.tracer.lostByCPU())
    let totals = totals(now: now)
    let text: String
    do throws(RecordingError) {
      guard let part = try pump.write(reason, totals: { totals }, now: now) else { return }
      text =
        reason == .failure
        ? "an operation failed: what led to it is in \(part)" : "written to \(part)"
    } catch {
      text = "nothing is written now, and the flight recorder goes on: \(error.sentence)"
    }
    tell(text)
  }

  /// A line of its own; after the screen, where that is there.
  private mutating func tell(_ text: String) {
    if let screen {
      screen.note("mrtrace: \(text)\n")
    } else {
      Output.notes("\(progress.clear())mrtrace: \(text)\n")
    }
  }

  /// Gives the terminal back, and prints what had to wait.
  private mutating func closeScreen() {
    guard let screen else { return }
    screen.leave()
    workload.releaseOutput(to: STDERR_FILENO)
    screen.printNotes()
    self.screen = nil
  }

  /// The totals of the run so far.
  private func totals(now: UInt64) -> [Event] {
    losses.all(attached.tracer, pump.tally, now: now)
  }

  /// Closes the recording and reports from it. False: something is missing, and that was to be known.
  private mutating func finish() throws(AgentError) -> Bool {
    drain()
    pump.nameKernel()
    attached.tracer.stop()
    drain()
    let now = Clock.monotonic()
    let lost = attached.tracer.tallies().reduce(0) { $0 &+ $1.tally.lost }
    pump.lost(attached.tracer.lostByCPU())
    pump.close(totals: totals(now: now), now: now)
    if let failure = pump.failure {
      Output.notes("mrtrace: the recording \(path) ends early\n")
      throw .recording(failure)
    }
    Output.notes("mrtrace: \(pump.records) records in \(path)\n")
    if lost > 0 {
      Output.notes(
        "mrtrace: \(lost) records found no room in the ring buffer and are lost: try --ring-size "
          + "\(settings.tracing.ringSize * 4)\n")
    }
    // The report that is printed ends with it.
    if settings.isQuiet {
      for warning in attached.sight.warnings { Output.notes("mrtrace: \(warning)\n") }
    }
    guard !settings.isQuiet || settings.isStrict else { return true }
    do throws(RecordingError) {
      let report = try RecordingReport.load(path, keepAll: false)
      if !settings.isQuiet {
        var output = ResultStream()
        report.text(style: Output.style(of: STDOUT_FILENO), into: &output)
        output.flush()
      }
      if settings.isStrict, !report.summary.isComplete {
        Output.notes(ExitStatus.lostNote([path]))
      }
      return report.summary.isComplete
    } catch {
      throw .recording(error)
    }
  }
}
