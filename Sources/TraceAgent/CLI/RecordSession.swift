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
  let options: RecordCommand
  let identity = RunIdentity()
  let style = Output.style(of: STDERR_FILENO)

  private static let tickMs = 100

  init(_ options: RecordCommand) { self.options = options }

  /// The exit status.
  func run() throws(RecordFailure) -> Int32 {
    let filter = try checkInput()
    let path = options.output ?? RecordSession.defaultPath()
    let session = try RecordFailure.wrapping { () throws(KernelError) in try attach(filter) }
    return try record(to: path, session)
  }

  /// What is held while recording.
  struct Attached: ~Copyable {
    let facts: KernelFacts
    var tracer: Tracer
    let ring: RingReader
    let loop: EventLoop
  }

  private func attach(_ filter: OperationFilter) throws(KernelError) -> Attached {
    if let obstacle = Permissions.obstacle() { throw obstacle }
    let facts = try KernelFacts.read()
    let tracer = try Tracer.start(facts: facts, settings: options.settings(filter))
    if options.follow {
      // after forks are seen: none slips through in between
      for pid in Processes.descendants(of: options.pids) { tracer.watch(UInt32(bitPattern: pid)) }
    }
    let ring = try RingReader(descriptor: tracer.ringDescriptor, size: tracer.ringSize)
    let loop = try EventLoop(ring: tracer.ringDescriptor, tickMs: RecordSession.tickMs)
    return Attached(facts: tracer.complete(facts), tracer: tracer, ring: ring, loop: loop)
  }

  // MARK: - Before anything is attached

  private func checkInput() throws(RecordFailure) -> OperationFilter {
    if let name = options.command.first {
      switch ChildProcess.find(name, path: Output.environment("PATH")) {
      case .success: break
      case .failure(.noent): throw .commandNotFound(name)
      case .failure(let errno): throw .commandNotRun(name, errno)
      }
    }
    // Found again when it is made; but better before the seconds of attaching.
    if let path = options.output, access(path, F_OK) == 0 {
      throw .recording(.exists(path: path))
    }
    return try options.watched.filter()
  }

  private static func defaultPath() -> String {
    var now = time(nil)
    var local = tm()
    localtime_r(&now, &local)
    func two(_ value: CInt) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return "mrtrace-\(1900 + local.tm_year)\(two(local.tm_mon + 1))\(two(local.tm_mday))"
      + "-\(two(local.tm_hour))\(two(local.tm_min))\(two(local.tm_sec))"
  }

  /// Lets the command go, now that all is attached; nil where there is none.
  func start(
    path: String, _ attached: borrowing Attached, output: CInt?
  ) throws(RecordFailure) -> ChildProcess? {
    Output.notes("mrtrace: \(planLine(attached.tracer.plan))\n")
    for gap in attached.tracer.plan.gaps + options.watched.notes(attached.facts) {
      Output.notes("mrtrace: \(gap)\n")
    }
    for want in Permissions.weakening() {
      Output.notes("mrtrace: without \(want.capability.name): cannot \(want.purpose)\n")
    }
    guard let name = options.command.first else {
      Output.notes("mrtrace: recording into \(path); Ctrl-C ends it\n")
      return nil
    }
    do throws(RecordFailure) {
      var child = try RecordFailure.wrapping { () throws(KernelError) in
        try ChildProcess(command: options.command, output: output)
      }
      attached.tracer.watch(UInt32(bitPattern: child.pid))
      do throws(Errno) {
        try child.run()
      } catch {
        throw error == .noent ? .commandNotFound(name) : .commandNotRun(name, error)
      }
      return child
    } catch {
      RecordingParts.remove(path)
      throw error
    }
  }

  func environment(_ attached: borrowing Attached) -> RecordingEnvironment {
    .ofThisRun(
      identity, facts: attached.facts, plan: attached.tracer.plan, detail: options.detail.rawValue,
      commandLine: CommandLine.arguments)
  }

  func planLine(_ plan: HookPlan) -> String {
    HookPlanText.line(DoctorFacts.rows(of: plan))
  }
}
