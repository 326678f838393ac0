// SPDX-License-Identifier: Apache-2.0

import Kernel
import Model

/// What is held of the kernel while record or live runs.
struct Attachment: ~Copyable {
  let facts: KernelFacts
  var tracer: Tracer
  let ring: RingReader
  let loop: EventLoop
  private(set) var sighting = Sighting()

  private static let tickMs = 100

  /// `isUrgent`: see ``RingReader``.
  init(
    _ options: TracingOptions, _ settings: TracerSettings, isUrgent: Bool = false
  ) throws(KernelError) {
    if let obstacle = Permissions.obstacle() { throw obstacle }
    let facts = try KernelFacts.read()
    let tracer = try Tracer.start(facts: facts, settings: settings)
    try tracer.plan.checkSight()
    if options.follow {
      // after forks are seen: none slips through in between
      for pid in Processes.descendants(of: options.pids) { tracer.watch(UInt32(bitPattern: pid)) }
    }
    let ring = try RingReader(
      descriptor: tracer.ringDescriptor, size: tracer.ringSize, isUrgent: isUrgent)
    let loop = try EventLoop(ring: tracer.ringDescriptor, tickMs: Self.tickMs)
    self.facts = tracer.complete(facts)
    self.tracer = tracer
    self.ring = ring
    self.loop = loop
  }

  /// Lets the command go, now that all is attached; nil where there is none.
  func start(_ options: TracingOptions, output: CInt?) throws(RecordFailure) -> ChildProcess? {
    guard let name = options.command.first else { return nil }
    var child = try RecordFailure.wrapping { () throws(KernelError) in
      try ChildProcess(command: options.command, output: output)
    }
    tracer.watch(UInt32(bitPattern: child.pid))
    do throws(Errno) {
      try child.run()
    } catch {
      throw error == .noent ? .commandNotFound(name) : .commandNotRun(name, error)
    }
    return child
  }

  /// What it sees by now.
  var sight: Sight { tracer.plan.sight(of: sighting.devices) }

  /// What need not be done at once: modules and devices that have come. nil: none has.
  mutating func look() -> ModuleChanges? {
    let hasDevices = sighting.look()
    guard let changes = tracer.attachLate() else { return hasDevices ? ModuleChanges() : nil }
    sighting.add(changes)
    return changes
  }

  /// What the user should know before it begins, what cannot be seen first.
  func notes(_ options: TracingOptions, before plan: String? = nil) -> [String] {
    sight.warnings + (plan.map { [$0] } ?? []) + tracer.plan.gaps(besides: sight)
      + options.watched.notes(facts)
      + Permissions.weakening().map {
        "without \($0.capability.name): cannot \($0.purpose)"
      }
  }
}
