// SPDX-License-Identifier: Apache-2.0

import Kernel
import Model
import Recording

/// What a run holds of the kernel: the attached programs, their ring buffer, and the loop that waits for it.
struct Attachment: ~Copyable {
  let facts: KernelFacts
  var tracer: Tracer
  let ring: RingReader
  let loop: EventLoop
  /// Modules that come and go; nil where hooks pin them, or they cannot be heard of.
  let moduleEvents: ModuleEvents?
  private(set) var sighting = Sighting()

  /// `parents`: processes whose children are there already and watched too. `isUrgent`: see ``RingReader``.
  init(
    _ settings: TracerSettings, childrenOf parents: [Int32] = [], isUrgent: Bool = false,
    tickMs: Int = 100
  ) throws(KernelError) {
    if let obstacle = Permissions.obstacle() { throw obstacle }
    // Before the modules are looked at: none slips through.
    let moduleEvents = settings.pinsModules ? nil : try? ModuleEvents()
    let facts = try KernelFacts.read()
    let tracer = try Tracer.start(facts: facts, settings: settings)
    try tracer.plan.checkSight()
    // After forks are seen: none slips through in between.
    for pid in Processes.descendants(of: parents) { tracer.watch(UInt32(bitPattern: pid)) }
    let ring = try RingReader(
      descriptor: tracer.ringDescriptor, size: tracer.ringSize, isUrgent: isUrgent)
    let loop = try EventLoop(ring: tracer.ringDescriptor, tickMs: tickMs)
    if let moduleEvents { try loop.watch(moduleEvents.descriptor) }
    self.facts = tracer.complete(facts)
    self.tracer = tracer
    self.ring = ring
    self.loop = loop
    self.moduleEvents = moduleEvents
  }

  /// What it sees by now.
  var sight: Sight { tracer.plan.sight(of: sighting.devices) }

  /// What need not be done at once: modules and devices that have come. nil: none has.
  mutating func look() -> ModuleChanges? {
    let hasDevices = lookForDevices()
    guard let changes = tracer.attachLate() else { return hasDevices ? ModuleChanges() : nil }
    sighting.add(changes)
    return changes
  }

  /// True: devices have come.
  mutating func lookForDevices() -> Bool { sighting.look() }

  /// What a recording of this run says of itself by now.
  func environment(of run: RunIdentity, detail: TracerSettings.Detail) -> RecordingEnvironment {
    .ofThisRun(
      run, facts: facts, plan: tracer.plan, sighting: sighting, detail: detail.rawValue,
      commandLine: CommandLine.arguments)
  }

  /// What the user should know before it begins, what cannot be seen first.
  func notes(_ subject: TraceSubject, before plan: String? = nil) -> [String] {
    sight.warnings + (plan.map { [$0] } ?? []) + tracer.plan.gaps(besides: sight)
      + subject.notes(facts)
      + Permissions.weakening().map {
        "without \($0.capability.name): cannot \($0.purpose)"
      }
  }
}

extension HookPlan {
  /// A run that would see nothing does not begin: what it ended with would be taken for an answer.
  fileprivate func checkSight() throws(KernelError) {
    let sight = sight(of: [])
    if sight.seesNothing { throw .blind(sight.refusal) }
  }
}
