// SPDX-License-Identifier: Apache-2.0

import Glibc
import Kernel
import Model

/// COMMAND of a run, or the processes that it watches; and when the run is over: by their end, by a signal, or by its
/// time.
struct Workload: ~Copyable {
  /// After COMMAND has ended, its asynchronous work may still fail: wait that long.
  private static let graceNs: UInt64 = 200_000_000
  /// How long COMMAND may take to end when it is told to.
  private static let patienceNs: UInt64 = 5_000_000_000

  private let subject: TraceSubject
  private let child: ChildProcess?
  /// What COMMAND writes while the screen is on its terminal.
  private let output: HeldOutput?
  private var status: Int32?
  private var signalled: CInt?
  private var stopAt: UInt64?
  /// The run is over.
  private(set) var isOver = false

  /// Lets COMMAND go, now that all is attached. `hasScreen`: what it writes has to wait.
  init(
    _ subject: TraceSubject, _ attached: borrowing Attachment, hasScreen: Bool, duration: Double?
  ) throws(AgentError) {
    self.subject = subject
    let holds = hasScreen && !subject.command.isEmpty
    let output = try AgentError.wrapping { () throws(KernelError) in
      holds ? try HeldOutput() : nil
    }
    if let output {
      try AgentError.wrapping { () throws(KernelError) in
        try attached.loop.watch(output.reading)
      }
    }
    child = try Self.start(subject.command, attached, output: output?.writing)
    output?.started()
    self.output = output
    stopAt = duration.map { Clock.monotonic() + UInt64($0 * 1e9) }
  }

  private static func start(
    _ command: [String], _ attached: borrowing Attachment, output: CInt?
  ) throws(AgentError) -> ChildProcess? {
    guard let name = command.first else { return nil }
    var child = try AgentError.wrapping { () throws(KernelError) in
      try ChildProcess(command: command, output: output)
    }
    attached.tracer.watch(UInt32(bitPattern: child.pid))
    do throws(Errno) {
      try child.run()
    } catch {
      throw error == .noent ? .commandNotFound(name) : .commandNotRun(name, error)
    }
    return child
  }

  var hasCommand: Bool { !subject.command.isEmpty }

  /// Each time that the loop wakes. `signal`: the run is to end.
  mutating func attend(to signal: CInt?, _ loop: borrowing EventLoop, now: UInt64) {
    if let output, !output.read() { loop.unwatch(output.reading) }
    if let signal { end(by: signal, now: now) }
    if status == nil, let ended = child?.exitStatus() {
      status = ended
      stopAt = now + Self.graceNs
    }
    if let stopAt, now >= stopAt { isOver = true }
  }

  /// COMMAND first: its last failures belong to the run. Told twice, the run ends at once.
  private mutating func end(by signal: CInt, now: UInt64) {
    guard hasCommand, status == nil, signalled == nil else {
      isOver = true
      return
    }
    signalled = signal
    if signal != SIGINT || !Self.isInForeground { child?.send(signal) }
    stopAt = now + Self.patienceNs
  }

  /// Ctrl-C on our terminal goes to COMMAND as well.
  private static var isInForeground: Bool { tcgetpgrp(STDIN_FILENO) == getpgrp() }

  /// Each second: without any process of `-p` left, the run is over.
  mutating func lookForProcesses() {
    if subject.haveAllEnded { isOver = true }
  }

  /// Writes what COMMAND wrote: the screen has gone.
  func releaseOutput(to descriptor: CInt) { output?.release(to: descriptor) }

  /// The exit status of the run: COMMAND's, or 128 and the signal's number. Where the time is over and COMMAND is not, its
  /// end is waited for, and what it writes passed on to `descriptor`.
  func exitStatus(passingOutputTo descriptor: CInt) -> Int32 {
    if let status { return status }
    if let signalled { return 128 + signalled }
    guard let output else { return child?.waitForEnd() ?? 0 }
    while true {
      let status = child?.exitStatus()
      output.release(to: descriptor)
      if let status { return status }
      usleep(50_000)
    }
  }
}
