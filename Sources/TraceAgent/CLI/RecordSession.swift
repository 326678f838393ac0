// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Glibc
import Kernel
import Model
import Recording
import Terminal

/// One run of `record`: attach, let the command go, ring to file, close, report.
///
/// One thread owns everything.
struct RecordSession {
  private let options: RecordCommand
  private let identity = RunIdentity()
  private let style = Output.style(of: STDERR_FILENO)

  /// After the command has ended, its asynchronous work may still fail: wait that long.
  private static let graceNs: UInt64 = 200_000_000
  /// How long a command may take to end when it is told to.
  private static let patienceNs: UInt64 = 5_000_000_000
  private static let tickMs = 100

  init(_ options: RecordCommand) { self.options = options }

  /// The exit status.
  func run() throws(RecordFailure) -> Int32 {
    try checkInput()
    let path = options.output ?? RecordSession.defaultPath()
    let session = try RecordFailure.wrapping { () throws(KernelError) in try attach() }
    return try record(to: path, session)
  }

  /// What is held while recording.
  private struct Attached: ~Copyable {
    let facts: KernelFacts
    var tracer: Tracer
    let ring: RingReader
    let loop: EventLoop
  }

  private func attach() throws(KernelError) -> Attached {
    if let obstacle = Permissions.obstacle() { throw obstacle }
    let facts = try KernelFacts.read()
    let tracer = try Tracer.start(facts: facts, settings: options.settings)
    if options.follow {
      // after forks are seen: none slips through in between
      for pid in Processes.descendants(of: options.pids) { tracer.watch(UInt32(bitPattern: pid)) }
    }
    let ring = try RingReader(descriptor: tracer.ringDescriptor, size: tracer.ringSize)
    let loop = try EventLoop(ring: tracer.ringDescriptor, tickMs: RecordSession.tickMs)
    return Attached(facts: tracer.complete(facts), tracer: tracer, ring: ring, loop: loop)
  }

  // MARK: - Before anything is attached

  private func checkInput() throws(RecordFailure) {
    if let name = options.command.first {
      switch ChildProcess.find(name, path: Output.environment("PATH")) {
      case .success: break
      case .failure(.noent): throw .commandNotFound(name)
      case .failure(let errno): throw .commandNotRun(name, errno)
      }
    }
    for pid in options.pids where kill(pid, 0) != 0 && errno == ESRCH {
      throw .kernel(.processGone(pid: Int(pid)))
    }
    // Found again when it is made; but better before the seconds of attaching.
    if let path = options.output, access(path, F_OK) == 0 {
      throw .recording(.exists(path: path))
    }
  }

  private static func defaultPath() -> String {
    var now = time(nil)
    var local = tm()
    localtime_r(&now, &local)
    func two(_ value: CInt) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return "mrtrace-\(1900 + local.tm_year)\(two(local.tm_mon + 1))\(two(local.tm_mday))"
      + "-\(two(local.tm_hour))\(two(local.tm_min))\(two(local.tm_sec))"
  }

  // MARK: - Recording

  private func record(
    to path: String, _ attached: consuming Attached
  ) throws(RecordFailure) -> Int32 {
    let writer: RecordingWriter
    do throws(RecordingError) {
      writer = try RecordingWriter.create(at: path, environment: environment(attached))
    } catch {
      throw .recording(error)
    }
    let child = try start(path: path, attached)
    var pump = RecordPump(writer: writer)
    var progress = ProgressLine(style: style)
    let started = Clock.monotonic()
    var status: Int32?
    var signalled: CInt?
    var stopAt = options.duration.map { started + UInt64($0 * 1e9) }
    var lastLook = started
    var losses = LossWatch()
    loop: while true {
      let wake = attached.loop.wait()
      pump.drain(attached.ring)
      let now = Clock.monotonic()
      pump.flush(now: now)
      if pump.failure != nil { break }
      switch wake {
      case .stop(let signal):
        // The command first: its last failures belong to the recording. Told twice, end at once.
        guard child != nil, status == nil, signalled == nil else { break loop }
        signalled = signal
        if signal != SIGINT || !RecordSession.isInForeground() { child?.send(signal) }
        stopAt = now + RecordSession.patienceNs
      case .child, .work: break
      }
      if child != nil, status == nil, let ended = child?.exitStatus() {
        status = ended
        stopAt = now + RecordSession.graceNs
      }
      if let stopAt, now >= stopAt { break }
      if now - lastLook >= 1_000_000_000 {
        lastLook = now
        pump.lost(attached.tracer.lostByCPU())
        pump.tell(losses.look(attached.tracer.tallies(), pump.tally, now: now))
        if attached.tracer.attachLate() {
          pump.update(environment(attached))
          Output.notes("\(progress.clear())mrtrace: \(planLine(attached.tracer.plan))\n")
        }
        if !options.pids.isEmpty, options.pids.allSatisfy({ kill($0, 0) != 0 && errno == ESRCH }) {
          break
        }
        // A command's own output has the terminal for itself.
        if child == nil { Output.notes(progress.show(pump.progress(elapsedNs: now - started))) }
      }
    }
    Output.notes(progress.clear())
    let lossy = try finish(pump: &pump, losses, &attached, path: path)
    if lossy, options.strict { return ExitStatus.lost }
    if let status { return status }
    if let signalled { return 128 + signalled }
    // --duration is over, the command is not: its exit status is still to come
    return child?.waitForEnd() ?? 0
  }

  /// Lets the command go, now that all is attached; nil where there is none.
  private func start(
    path: String, _ attached: borrowing Attached
  ) throws(RecordFailure) -> ChildProcess? {
    Output.notes("mrtrace: \(planLine(attached.tracer.plan))\n")
    for gap in attached.tracer.plan.gaps { Output.notes("mrtrace: \(gap)\n") }
    guard let name = options.command.first else {
      Output.notes("mrtrace: recording into \(path); Ctrl-C ends it\n")
      return nil
    }
    do throws(RecordFailure) {
      var child = try RecordFailure.wrapping { () throws(KernelError) in
        try ChildProcess(command: options.command)
      }
      attached.tracer.watch(UInt32(bitPattern: child.pid))
      do throws(Errno) {
        try child.run()
      } catch {
        throw error == .noent ? .commandNotFound(name) : .commandNotRun(name, error)
      }
      return child
    } catch {
      RecordSession.remove(path)
      throw error
    }
  }

  private func environment(_ attached: borrowing Attached) -> RecordingEnvironment {
    .ofThisRun(
      identity, facts: attached.facts, plan: attached.tracer.plan, detail: options.detail.rawValue,
      commandLine: CommandLine.arguments)
  }

  private func planLine(_ plan: HookPlan) -> String {
    HookPlanText.line(DoctorFacts.rows(of: plan))
  }

  private func finish(
    pump: inout RecordPump, _ losses: LossWatch, _ attached: inout Attached, path: String
  ) throws(RecordFailure) -> Bool {
    attached.tracer.stop()
    pump.drain(attached.ring)
    let now = Clock.monotonic()
    let tallies = attached.tracer.tallies()
    let lost = tallies.reduce(0) { $0 &+ $1.tally.lost }
    let totals = losses.all(tallies, pump.tally, now: now)
    pump.lost(attached.tracer.lostByCPU())
    let pages = attached.tracer.pageCounts().map {
      Event.pages($0.key, count: $0.count, timeNs: now)
    }
    pump.close(totals: totals + pages, now: now)
    if let failure = pump.failure {
      Output.notes("mrtrace: the recording \(path) ends early\n")
      throw .recording(failure)
    }
    Output.notes("mrtrace: \(pump.records) records in \(path)\n")
    if lost > 0 {
      Output.notes(
        "mrtrace: \(lost) records found no room in the ring buffer and are lost: try --ring-size "
          + "\(options.ringSize * 4)\n")
    }
    guard !options.quiet || options.strict else { return false }
    do throws(RecordingError) {
      let report = try RecordingReport.load(path, keepAll: false)
      if !options.quiet { Output.results(report.text(style: Output.style(of: STDOUT_FILENO))) }
      if options.strict, !report.summary.isComplete { Output.notes(ExitStatus.lostNote([path])) }
      return !report.summary.isComplete
    } catch {
      throw .recording(error)
    }
  }

  /// Ctrl-C on our terminal goes to the command as well.
  private static func isInForeground() -> Bool { tcgetpgrp(STDIN_FILENO) == getpgrp() }

  /// A recording that never began is not left behind.
  private static func remove(_ path: String) {
    unlink("\(path)/metadata")
    rmdir(path)
  }
}
