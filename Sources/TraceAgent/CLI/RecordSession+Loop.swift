// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Glibc
import Kernel
import Model
import Pump
import Recording
import Terminal

/// From the first record to the last.
extension RecordSession {
  /// What changes while it runs.
  private struct Course: ~Copyable {
    let started = Clock.monotonic()
    var pump: RecordPump
    /// The screen beside it.
    var live: RecordLive? { didSet { pump.observer = live } }
    var losses = LossWatch()
    var progress: ProgressLine
    var status: Int32?
    var signalled: CInt?
    var stopAt: UInt64?
    var lastLook: UInt64
    /// The run is over.
    var isOver = false

    init(_ pump: consuming RecordPump, _ progress: ProgressLine, duration: Double?) {
      self.pump = pump
      self.progress = progress
      stopAt = duration.map { [started] in started + UInt64($0 * 1e9) }
      lastLook = started
    }
  }

  func record(
    to path: String, _ attached: consuming Attachment
  ) throws(RecordFailure) -> Int32 {
    let target: RecordTarget
    do throws(RecordingError) {
      target = try .create(at: path, environment(attached), options)
    } catch {
      throw .recording(error)
    }
    let wantsScreen = RecordLive.isWanted(options)
    let held = try RecordFailure.wrapping { () throws(KernelError) in
      wantsScreen && !options.command.isEmpty ? try HeldOutput() : nil
    }
    let child = try start(path: path, attached, output: held?.writing)
    held?.started()
    let command = child?.number()
    attached.tracer.dropPrivileges(writing: [path], command: command != nil)
    var course = Course(
      RecordPump(target), ProgressLine(style: style), duration: options.duration)
    if wantsScreen {
      course.live = RecordLive(
        options, facts: attached.facts, plan: attached.tracer.plan, run: identity, path: path,
        held: held)
      course.live?.sight = attached.sight
    }
    let live = course.live
    // the terminal is given back, however this ends
    defer { live?.close() }
    try RecordFailure.wrapping { () throws(KernelError) in try live?.watched(by: attached.loop) }
    while !course.isOver {
      var wake = attached.loop.wait()
      drain(attached, &course)
      let now = Clock.monotonic()
      // the terminal could not be taken
      if live == nil { held?.release(to: STDERR_FILENO) }
      if let live, live.turn(attached.tracer, attached.loop, now: now) { wake.stop = SIGTERM }
      course.pump.flush(now: now)
      if options.ring != nil, course.pump.trigger.isDue(at: now) {
        write(.failure, attached, &course)
      }
      if wake.write { write(.signal, attached, &course) }
      if course.pump.failure != nil { break }
      if course.status == nil, let ended = child?.exitStatus() {
        course.status = ended
        course.stopAt = now + CommandEnd.graceNs
      }
      attend(to: wake, command: command, &course, now: now)
      if course.losses.isDue(at: now) {
        course.pump.tell(
          course.losses.look(attached.tracer.tallies(), course.pump.tally, now: now))
      }
      if now - course.lastLook >= 1_000_000_000 {
        course.lastLook = now
        eachSecond(&attached, path: path, command: command, &course, now: now)
      }
    }
    live?.close()
    course.live = nil
    Output.notes(course.progress.clear())
    let lossy = try finish(&course, &attached, path: path)
    if lossy, options.strict { return ExitStatus.lost }
    if let status = course.status { return status }
    if let signalled = course.signalled { return 128 + signalled }
    // --duration is over, the command is not: its exit status is still to come
    if let held { return held.pass(to: STDERR_FILENO) { child?.exitStatus() } }
    return child?.waitForEnd() ?? 0
  }

  /// Takes all that the kernel has sent, over as many parts as that needs.
  private func drain(_ attached: borrowing Attachment, _ course: inout Course) {
    course.pump.drain(attached.ring)
    while course.pump.isFull {
      let now = Clock.monotonic()
      course.pump.lost(attached.tracer.lostByCPU())
      course.pump.beginPart(totals: totals(attached, course, now: now), now: now)
      course.pump.drain(attached.ring)
    }
  }

  /// Signals, and the end of the time.
  private func attend(
    to wake: EventLoop.Wake, command: pid_t?, _ course: inout Course, now: UInt64
  ) {
    if let signal = wake.stop {
      // The command first: its last failures belong to the recording. Told twice, end at once.
      guard let command, course.status == nil, course.signalled == nil else {
        course.isOver = true
        return
      }
      course.signalled = signal
      if signal != SIGINT || !CommandEnd.isInForeground() { kill(command, signal) }
      course.stopAt = now + CommandEnd.patienceNs
    }
    if let stopAt = course.stopAt, now >= stopAt { course.isOver = true }
  }

  /// What need not be done at once.
  private func eachSecond(
    _ attached: inout Attachment, path: String, command: pid_t?, _ course: inout Course, now: UInt64
  ) {
    course.pump.checkPlace()
    course.pump.lost(attached.tracer.lostByCPU())
    let before = attached.sight.warnings
    if let changes = attached.look() {
      attached.tracer.dropPrivileges(writing: [path], command: command != nil)
      course.pump.update(environment(attached))
      for warning in attached.sight.warnings where !before.contains(warning) {
        tell(warning, &course)
      }
      course.live?.sight = attached.sight
      if changes.isAny { tell(planLine(attached.tracer.plan), &course) }
    }
    if options.tracing.haveAllEnded { course.isOver = true }
    // A command's own output has the terminal for itself.
    if command == nil, course.live == nil {
      Output.notes(course.progress.show(course.pump.progress(elapsedNs: now - course.started)))
    }
    if course.pump.failure != nil { course.isOver = true }
  }

  /// Writes what waits, or what the flight recorder holds.
  private func write(
    _ reason: RecordingEnvironment.PartEnd, _ attached: borrowing Attachment, _ course: inout Course
  ) {
    // What has come since belongs to it.
    drain(attached, &course)
    let now = Clock.monotonic()
    course.pump.lost(attached.tracer.lostByCPU())
    let totals = totals(attached, course, now: now)
    let text: String
    do throws(RecordingError) {
      guard let part = try course.pump.write(reason, totals: { totals }, now: now) else { return }
      text =
        reason == .failure
        ? "an operation failed: what led to it is in \(part)" : "written to \(part)"
    } catch {
      text = "nothing is written now, and the flight recorder goes on: \(error.sentence)"
    }
    tell(text, &course)
  }

  /// A line of its own; after the screen, where that is there.
  private func tell(_ text: String, _ course: inout Course) {
    if let live = course.live {
      live.note("mrtrace: \(text)\n")
    } else {
      Output.notes("\(course.progress.clear())mrtrace: \(text)\n")
    }
  }

  /// The totals of the run so far.
  private func totals(
    _ attached: borrowing Attachment, _ course: borrowing Course, now: UInt64
  ) -> [Event] {
    course.losses.all(attached.tracer, course.pump.tally, now: now)
  }

  private func finish(
    _ course: inout Course, _ attached: inout Attachment, path: String
  ) throws(RecordFailure) -> Bool {
    drain(attached, &course)
    course.pump.nameKernel()
    attached.tracer.stop()
    drain(attached, &course)
    let now = Clock.monotonic()
    let lost = attached.tracer.tallies().reduce(0) { $0 &+ $1.tally.lost }
    course.pump.lost(attached.tracer.lostByCPU())
    course.pump.close(totals: totals(attached, course, now: now), now: now)
    if let failure = course.pump.failure {
      Output.notes("mrtrace: the recording \(path) ends early\n")
      throw .recording(failure)
    }
    Output.notes("mrtrace: \(course.pump.records) records in \(path)\n")
    if lost > 0 {
      Output.notes(
        "mrtrace: \(lost) records found no room in the ring buffer and are lost: try --ring-size "
          + "\(options.tracing.ringSize * 4)\n")
    }
    // The report that is printed ends with it.
    if options.quiet {
      for warning in attached.sight.warnings { Output.notes("mrtrace: \(warning)\n") }
    }
    guard !options.quiet || options.strict else { return false }
    do throws(RecordingError) {
      let report = try RecordingReport.load(path, keepAll: false)
      if !options.quiet {
        var output = ResultStream()
        report.text(style: Output.style(of: STDOUT_FILENO), into: &output)
        output.flush()
      }
      if options.strict, !report.summary.isComplete { Output.notes(ExitStatus.lostNote([path])) }
      return !report.summary.isComplete
    } catch {
      throw .recording(error)
    }
  }
}
