// SPDX-License-Identifier: Apache-2.0

import CEvents
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

  /// After the command has ended, its asynchronous work may still fail: wait that long.
  private static let graceNs: UInt64 = 200_000_000
  /// How long a command may take to end when it is told to.
  private static let patienceNs: UInt64 = 5_000_000_000
  private static let tickMs = 100

  init(_ options: LiveCommand) { self.options = options }

  /// The exit status.
  func run() throws(RecordFailure) -> Int32 {
    let filter = try checkInput()
    return try watch(try RecordFailure.wrapping { () throws(KernelError) in try attach(filter) })
  }

  private struct Attached: ~Copyable {
    let facts: KernelFacts
    var tracer: Tracer
    let ring: RingReader
    let loop: EventLoop
  }

  private func checkInput() throws(RecordFailure) -> OperationFilter {
    if let name = options.command.first {
      switch ChildProcess.find(name, path: Output.environment("PATH")) {
      case .success: break
      case .failure(.noent): throw .commandNotFound(name)
      case .failure(let errno): throw .commandNotRun(name, errno)
      }
    }
    return try options.watched.filter()
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
    let loop = try EventLoop(ring: tracer.ringDescriptor, tickMs: Self.tickMs)
    return Attached(facts: tracer.complete(facts), tracer: tracer, ring: ring, loop: loop)
  }

  private func watch(_ attached: consuming Attached) throws(RecordFailure) -> Int32 {
    let facts = attached.facts
    // before the screen is there
    for note in options.watched.notes(facts) { Output.notes("mrtrace: \(note)\n") }
    for want in Permissions.weakening() {
      Output.notes("mrtrace: without \(want.capability.name): cannot \(want.purpose)\n")
    }
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
    let child = try start(attached, output: held?.writing)
    held?.started()
    attached.tracer.dropPrivileges(writing: [], command: child != nil)
    let started = Clock.monotonic()
    let interval = UInt64(options.interval * 1e9)
    var stopAt = options.duration.map { started + UInt64($0 * 1e9) }
    var (lastShown, lastLook) = (started, started)
    var status: Int32?
    var signalled: CInt?
    display.show(feed.snapshot(of: attached.tracer, nowNs: started), isLast: false)
    loop: while true {
      let wake = attached.loop.wait()
      attached.ring.drain { feed.add(record: $0) }
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
        if signal != SIGINT || !Self.isInForeground() { child?.send(signal) }
        stopAt = now + Self.patienceNs
      }
      if child != nil, status == nil, let ended = child?.exitStatus() {
        status = ended
        stopAt = now + Self.graceNs
      }
      if let stopAt, now >= stopAt { break }
      if now - lastLook >= 1_000_000_000 {
        lastLook = now
        _ = attached.tracer.attachLate()
        if !options.pids.isEmpty, options.pids.allSatisfy({ kill($0, 0) != 0 && errno == ESRCH }) {
          break
        }
      }
      if now - lastShown >= interval {
        lastShown = now
        display.show(feed.snapshot(of: attached.tracer, nowNs: now), isLast: false)
      }
    }
    attached.tracer.stop()
    attached.ring.drain { feed.add(record: $0) }
    feed.finish()
    display.show(feed.snapshot(of: attached.tracer, nowNs: Clock.monotonic()), isLast: true)
    display.close()
    held?.release(to: STDOUT_FILENO)
    if let status { return status }
    if let signalled { return 128 + signalled }
    // --duration is over, the command is not: its exit status is still to come
    if let held { return held.pass(to: STDOUT_FILENO) { child?.exitStatus() } }
    return child?.waitForEnd() ?? 0
  }

  private var subject: String {
    if !options.command.isEmpty {
      return options.command.joined(separator: " ") + (options.all ? " (and all processes)" : "")
    }
    let words = options.watched.words
    return words.isEmpty ? "all processes" : words.joined(separator: ", ")
  }

  private func start(
    _ attached: borrowing Attached, output: CInt?
  ) throws(RecordFailure) -> ChildProcess? {
    guard let name = options.command.first else { return nil }
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
  }

  /// Ctrl-C on our terminal goes to the command as well.
  private static func isInForeground() -> Bool { tcgetpgrp(STDIN_FILENO) == getpgrp() }
}

extension LiveFeed {
  /// What the ring buffer holds: the kernel's reservation may be longer than the record.
  mutating func add(record bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= MemoryLayout<mrt_header>.size else { return }
    let size = Int(bytes.loadUnaligned(as: mrt_header.self).size)
    guard size <= bytes.count else { return }
    add(UnsafeRawBufferPointer(rebasing: bytes[..<size]))
  }
}
