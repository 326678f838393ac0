// SPDX-License-Identifier: Apache-2.0

import Glibc
import Kernel
import Pump
import Recording

/// One `record`: attach, let COMMAND go, record, report.
package struct RecordSession {
  private let settings: RecordSettings
  private let identity = RunIdentity()

  package init(_ settings: RecordSettings) { self.settings = settings }

  /// The exit status.
  package func run() throws(AgentError) -> Int32 {
    // Found again when it is made; but better before the seconds of attaching.
    if let path = settings.output, access(path, F_OK) == 0 {
      throw .recording(.exists(path: path))
    }
    let filter = try settings.subject.filter()
    let path = settings.output ?? Self.defaultPath()
    let attached = try AgentError.wrapping { () throws(KernelError) in
      try Attachment(
        settings.tracer(filter), childrenOf: settings.subject.parents, isUrgent: true)
    }
    return try record(to: path, attached)
  }

  private func record(
    to path: String, _ attached: consuming Attachment
  ) throws(AgentError) -> Int32 {
    let target: RecordTarget
    do throws(RecordingError) {
      target = try .create(
        at: path, attached.environment(of: identity, detail: settings.detail), settings.storage)
    } catch {
      throw .recording(error)
    }
    let plan = DoctorFacts.line(attached.tracer.plan)
    for note in attached.notes(settings.subject, before: plan) {
      Output.notes("mrtrace: \(note)\n")
    }
    if settings.subject.command.isEmpty {
      Output.notes("mrtrace: recording into \(path); Ctrl-C ends it\n")
    }
    let screen = RecordScreen(settings, attached, run: identity, path: path)
    try AgentError.wrapping { () throws(KernelError) in try screen?.watched(by: attached.loop) }
    let workload: Workload
    do throws(AgentError) {
      workload = try Workload(
        settings.subject, attached, hasScreen: screen != nil, duration: settings.duration)
    } catch {
      RecordingParts.remove(path)
      throw error
    }
    attached.tracer.dropPrivileges(writing: [path], command: workload.hasCommand)
    var run = RecordRun(
      settings, identity, path: path, attached, RecordPump(target), workload, screen)
    return try run.run()
  }

  private static func defaultPath() -> String {
    var now = time(nil)
    var local = tm()
    localtime_r(&now, &local)
    func two(_ value: CInt) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return "mrtrace-\(1900 + local.tm_year)\(two(local.tm_mon + 1))\(two(local.tm_mday))"
      + "-\(two(local.tm_hour))\(two(local.tm_min))\(two(local.tm_sec))"
  }
}
