// SPDX-License-Identifier: Apache-2.0

import Events
import Glibc
import Kernel
import Live
import Model
import Terminal

/// One run of `live`: attach, let the command go, ring to numbers, numbers to the screen.
///
/// One thread owns everything.
struct LiveSession {
  private let options: LiveCommand
  private let identity = RunIdentity()

  init(_ options: LiveCommand) { self.options = options }

  /// The exit status.
  func run() throws(RecordFailure) -> Int32 {
    let settings = options.settings(try options.tracing.filter())
    return try watch(
      try RecordFailure.wrapping { () throws(KernelError) in
        try Attachment(options.tracing, settings)
      })
  }

  private func watch(_ attached: consuming Attachment) throws(RecordFailure) -> Int32 {
    let facts = attached.facts
    // before the screen is there
    for note in attached.notes(options.tracing) { Output.notes("mrtrace: \(note)\n") }
    var feed = LiveFeed(traits: facts.traits, plan: attached.tracer.plan, run: identity)
    var display = LiveDisplay(
      output: STDOUT_FILENO, wanted: options.screen, json: options.json,
      subject: .init(what: subject, kernel: facts.release))
    var held: HeldOutput?
    try RecordFailure.wrapping { () throws(KernelError) in
      try display.watched(by: attached.loop)
      if display.hasScreen, !options.command.isEmpty {
        let output = try HeldOutput()
        try attached.loop.watch(output.reading)
        held = output
      }
    }
    let child = try attached.start(options.tracing, output: held?.writing)
    held?.started()
    attached.tracer.dropPrivileges(writing: [], command: child != nil)
    let started = Clock.monotonic()
    let interval = UInt64(options.interval * 1e9)
    var stopAt = options.duration.map { started + UInt64($0 * 1e9) }
    var (lastShown, lastLook) = (started, started)
    var status: Int32?
    var signalled: CInt?
    feed.sight = attached.sight
    display.show(feed.snapshot(of: attached.tracer, nowNs: started), isLast: false)
    loop: while true {
      let wake = attached.loop.wait()
      attached.ring.drain { feed.add(reserved: $0) }
      let now = Clock.monotonic()
      if let output = held, !output.read() { attached.loop.unwatch(output.reading) }
      var wantsEnd = display.react(feed.named)
      var signal = SIGTERM
      if let number = wake.stop {
        wantsEnd = true
        signal = number
      }
      if wantsEnd {
        // The command first: its last failures belong to the numbers. Told twice, end at once.
        guard child != nil, status == nil, signalled == nil else { break loop }
        signalled = signal
        if signal != SIGINT || !CommandEnd.isInForeground() { child?.send(signal) }
        stopAt = now + CommandEnd.patienceNs
      }
      if child != nil, status == nil, let ended = child?.exitStatus() {
        status = ended
        stopAt = now + CommandEnd.graceNs
      }
      if let stopAt, now >= stopAt { break }
      if now - lastLook >= 1_000_000_000 {
        lastLook = now
        if attached.look() != nil { feed.sight = attached.sight }
        if options.tracing.haveAllEnded { break }
      }
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
    held?.release(to: STDOUT_FILENO)
    for warning in attached.sight.warnings { Output.notes("mrtrace: \(warning)\n") }
    if let status { return status }
    if let signalled { return 128 + signalled }
    // --duration is over, the command is not: its exit status is still to come
    if let held { return held.pass(to: STDOUT_FILENO) { child?.exitStatus() } }
    return child?.waitForEnd() ?? 0
  }

  private var subject: String {
    if !options.command.isEmpty {
      return options.command.joined(separator: " ")
        + (options.tracing.all ? " (and all processes)" : "")
    }
    let words = options.tracing.watched.words
    return words.isEmpty ? "all processes" : words.joined(separator: ", ")
  }
}

extension LiveFeed {
  /// What the ring buffer holds.
  mutating func add(reserved bytes: UnsafeRawBufferPointer) {
    if let record = RecordLayout.record(in: bytes) { add(record) }
  }
}
