// SPDX-License-Identifier: Apache-2.0

import Events
import Glibc
import Kernel
import Live
import Model

/// One run of `live`: attach, let COMMAND go, ring to numbers, numbers to the screen. One thread owns everything.
package struct LiveSession {
  private static let secondNs: UInt64 = 1_000_000_000

  private let settings: LiveSettings
  private let tracing: TracingSettings
  private let detail: TracerSettings.Detail
  private let identity = RunIdentity()

  package init(
    _ settings: LiveSettings, _ tracing: TracingSettings, detail: TracerSettings.Detail
  ) {
    self.settings = settings
    self.tracing = tracing
    self.detail = detail
  }

  /// The exit status.
  package func run() throws(AgentError) -> Int32 {
    let filter = try tracing.subject.filter()
    return try watch(
      try AgentError.wrapping { () throws(KernelError) in
        try Attachment(
          tracing.tracer(filter, detail: detail, statistics: true),
          childrenOf: tracing.subject.parents)
      })
  }

  private func watch(_ attached: consuming Attachment) throws(AgentError) -> Int32 {
    // Before the screen is there.
    for note in attached.notes(tracing.subject) { Output.notes("mrtrace: \(note)\n") }
    var feed = LiveFeed(traits: attached.facts.traits, plan: attached.tracer.plan, run: identity)
    var display = LiveDisplay(
      output: STDOUT_FILENO, wanted: settings.screen, json: settings.isJSON,
      subject: .init(what: what, kernel: attached.facts.release))
    try AgentError.wrapping { () throws(KernelError) in try display.watched(by: attached.loop) }
    var workload = try Workload(
      tracing.subject, attached, hasScreen: display.hasScreen, duration: settings.duration)
    attached.tracer.dropPrivileges(writing: [], command: workload.hasCommand)
    let started = Clock.monotonic()
    let interval = UInt64(settings.interval * 1e9)
    var (lastShown, lastLook) = (started, started)
    feed.sight = attached.sight
    display.show(feed.snapshot(of: attached.tracer, nowNs: started), isLast: false)
    while true {
      let wake = attached.loop.wait()
      attached.ring.drain { feed.add(reserved: $0) }
      let now = Clock.monotonic()
      let wantsEnd = display.react(feed.named)
      workload.attend(to: wake.stop ?? (wantsEnd ? SIGTERM : nil), attached.loop, now: now)
      if now - lastLook >= Self.secondNs {
        lastLook = now
        if attached.look() != nil { feed.sight = attached.sight }
        workload.lookForProcesses()
      }
      if workload.isOver { break }
      if now - lastShown >= interval {
        lastShown = now
        display.show(feed.snapshot(of: attached.tracer, nowNs: now), isLast: false)
      }
    }
    attached.tracer.stop()
    attached.ring.drain { feed.add(reserved: $0) }
    feed.finish()
    display.show(feed.snapshot(of: attached.tracer, nowNs: Clock.monotonic()), isLast: true)
    display.close()
    workload.releaseOutput(to: STDOUT_FILENO)
    for warning in attached.sight.warnings { Output.notes("mrtrace: \(warning)\n") }
    return workload.exitStatus(passingOutputTo: STDOUT_FILENO)
  }

  /// What is watched, for the screen.
  private var what: String {
    let subject = tracing.subject
    if !subject.command.isEmpty {
      return subject.command.joined(separator: " ") + (subject.all ? " (and all processes)" : "")
    }
    return subject.words.isEmpty ? "all processes" : subject.words.joined(separator: ", ")
  }
}

extension LiveFeed {
  /// What the ring buffer holds.
  fileprivate mutating func add(reserved bytes: UnsafeRawBufferPointer) {
    if let record = RecordLayout.record(in: bytes) { add(record) }
  }
}
