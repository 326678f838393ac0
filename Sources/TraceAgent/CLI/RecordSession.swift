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

  init(_ options: RecordCommand) { self.options = options }

  /// The exit status.
  func run() throws(RecordFailure) -> Int32 {
    let filter = try checkInput()
    let path = options.output ?? RecordSession.defaultPath()
    let settings = options.settings(filter)
    let attached = try RecordFailure.wrapping { () throws(KernelError) in
      try Attachment(options.tracing, settings, isUrgent: true)
    }
    return try record(to: path, attached)
  }

  // MARK: - Before anything is attached

  private func checkInput() throws(RecordFailure) -> OperationFilter {
    // Found again when it is made; but better before the seconds of attaching.
    if let path = options.output, access(path, F_OK) == 0 {
      throw .recording(.exists(path: path))
    }
    return try options.tracing.filter()
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
    path: String, _ attached: borrowing Attachment, output: CInt?
  ) throws(RecordFailure) -> ChildProcess? {
    for note in attached.notes(options.tracing, before: planLine(attached.tracer.plan)) {
      Output.notes("mrtrace: \(note)\n")
    }
    if options.command.isEmpty {
      Output.notes("mrtrace: recording into \(path); Ctrl-C ends it\n")
    }
    do throws(RecordFailure) {
      return try attached.start(options.tracing, output: output)
    } catch {
      RecordingParts.remove(path)
      throw error
    }
  }

  func environment(_ attached: borrowing Attachment) -> RecordingEnvironment {
    .ofThisRun(
      identity, facts: attached.facts, plan: attached.tracer.plan, sighting: attached.sighting,
      detail: options.detail.rawValue, commandLine: CommandLine.arguments)
  }

  func planLine(_ plan: HookPlan) -> String {
    HookPlanText.line(DoctorFacts.rows(of: plan))
  }
}
