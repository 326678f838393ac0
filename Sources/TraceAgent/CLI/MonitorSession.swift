// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Glibc
import Kernel
import Live
import Model
import Monitor
import Recording

/// One run of `monitor`: what is held, and the loop. One thread owns everything.
struct MonitorSession: ~Copyable {
  private static let tickMs = 200
  static let secondNs: UInt64 = 1_000_000_000
  /// How long a failure may wait to be explained: that takes a look at what the kernel has counted of every hook.
  private static let explainNs: UInt64 = 500_000_000

  let options: MonitorCommand
  var settings: MonitorConfiguration
  let identity = RunIdentity()
  var held: Held
  let feed: MonitorFeed
  var journal: Journal
  let service = ServiceManager(environment: Output.environment)
  let dumps: MonitorDumps?
  var server: MetricsServer?
  private var groups: FollowedGroups
  var modules: [String: MonitorMetrics.Module] = [:]
  var own = MonitorMetrics.Own()
  private(set) var sighting = Sighting()
  /// What was said last of what is not seen.
  private var warned: [String] = []
  var page = ""
  var (pageNs, textfileNs, lookNs, aliveNs) = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
  private var explainedNs: UInt64 = 0
  var textfileFailed = false

  /// What is held of the kernel.
  struct Held: ~Copyable {
    let facts: KernelFacts
    var tracer: Tracer
    let ring: RingReader
    let loop: EventLoop
    let events: ModuleEvents?
  }

  static func run(
    _ options: MonitorCommand, _ settings: MonitorConfiguration
  ) throws(RecordFailure) {
    let now = Clock.monotonic()
    var dumps: MonitorDumps?
    if let path = settings.directory {
      dumps = MonitorDumps(try MonitorPlace(path), settings, now: now)
    }
    let groups: FollowedGroups
    do throws(FollowedGroups.Unusable) {
      groups = try FollowedGroups(settings.filter.cgroups)
    } catch {
      throw .cgroup(error.path, error.why)
    }
    let held = try RecordFailure.wrapping { () throws(KernelError) in
      try attach(settings, groups.present)
    }
    var session = MonitorSession(options, settings, held, dumps, groups, now: now)
    try session.begin()
    session.dropPrivileges()
    session.run()
  }

  private init(
    _ options: MonitorCommand, _ settings: MonitorConfiguration, _ held: consuming Held,
    _ dumps: MonitorDumps?, _ groups: FollowedGroups, now: UInt64
  ) {
    self.options = options
    self.settings = settings
    self.dumps = dumps
    self.groups = groups
    feed = MonitorFeed(traits: held.facts.traits, plan: held.tracer.plan)
    journal = Journal(
      linesPerMinute: settings.linesPerMinute, now: now,
      isStream: Output.environment("JOURNAL_STREAM") != nil)
    self.held = held
  }

  private mutating func begin() throws(RecordFailure) {
    own.version = MRTrace.version
    own.kernel = held.facts.release
    own.startWallNs = identity.startWallNs
    try dumps?.begin(environment)
    try listen()
    for module in held.tracer.hookedModules {
      modules[module] = .init(name: module, attachments: 1, unwatchedNs: 0)
    }
  }

  private static func attach(
    _ settings: MonitorConfiguration, _ groups: [UInt64]
  ) throws(KernelError) -> Held {
    if let obstacle = Permissions.obstacle() { throw obstacle }
    // Before the modules are looked at: none slips through.
    let events = settings.pinModules ? nil : try? ModuleEvents()
    let facts = try KernelFacts.read()
    var wanted = TracerSettings(
      detail: TracerSettings.Detail(rawValue: settings.detail) ?? .failures, statistics: true,
      ringSize: settings.ringSize)
    wanted.pinsModules = settings.pinModules
    wanted.filter = settings.filter.filter(cgroups: groups)
    let tracer = try Tracer.start(facts: facts, settings: wanted)
    try tracer.plan.checkSight()
    let ring = try RingReader(descriptor: tracer.ringDescriptor, size: tracer.ringSize)
    let loop = try EventLoop(ring: tracer.ringDescriptor, tickMs: tickMs)
    if let events { try loop.watch(events.descriptor) }
    return Held(
      facts: tracer.complete(facts), tracer: tracer, ring: ring, loop: loop, events: events)
  }

  var environment: RecordingEnvironment {
    .ofThisRun(
      identity, facts: held.facts, plan: held.tracer.plan, sighting: sighting,
      detail: settings.detail,
      commandLine: CommandLine.arguments)
  }

  /// What hooks modules again when they come back stays: CAP_SYS_ADMIN too, for perf events where
  /// perf_event_paranoid is 3, because a kprobe without one pins its module.
  private func dropPrivileges() {
    var directories: [String] = []
    if let path = settings.directory { directories.append(path) }
    if let path = settings.textfile, let slash = path.lastIndex(of: "/") {
      directories.append(slash == path.startIndex ? "/" : String(path[..<slash]))
    }
    Privileges.drop(
      needs: .init(attachLater: true, wholeRDMALater: true, directories: directories))
  }

  // MARK: - The loop

  private mutating func run() {
    warn()
    for gap in held.tracer.plan.gaps(besides: sight) { journal.note(gap, .warning) }
    for note in settings.filter.notes(held.facts) { journal.note(note, .warning) }
    for path in groups.awaited {
      journal.note("there is no control group \(path) yet: it is watched when it comes", .warning)
    }
    if !settings.pinModules, ProbeAccess.current() != .perf {
      journal.note(
        "without CAP_SYS_ADMIN modules cannot be unloaded while this runs: perf_event_paranoid is 3 or more",
        .warning)
    }
    service.ready(status)
    writeTextfile(now: Clock.monotonic())
    while true {
      let wake = held.loop.wait()
      drain()
      var now = Clock.monotonic()
      if feed.isFull || isDue(explainedNs, every: Self.explainNs, at: now) { explain(now: now) }
      if let signal = wake.stop {
        guard signal == SIGHUP else { break }
        reload()
      }
      if held.events?.changed() == true || isDue(lookNs, every: Self.secondNs, at: now) { look() }
      // Both take their time, and what was done meanwhile is newer than the wake.
      now = Clock.monotonic()
      dump(wake.write, now: now)
      if isDue(textfileNs, every: settings.intervalNs, at: now) { writeTextfile(now: now) }
      serve(now: now)
      if let watchdog = service.watchdogNs, isDue(aliveNs, every: watchdog / 2, at: now) {
        aliveNs = now
        service.alive()
      }
    }
    end()
  }

  /// What was done at `last` may be newer than `now`.
  private func isDue(_ last: UInt64, every interval: UInt64, at now: UInt64) -> Bool {
    now >= last && now - last >= interval
  }

  private mutating func drain() {
    guard dumps != nil else {
      let feed = feed
      held.ring.drain { bytes in
        if let record = RecordLayout.record(in: bytes) { feed.add(record) }
      }
      return
    }
    let feed = feed
    dumps?.pump?.drain(held.ring) { feed.add($0) }
  }

  private mutating func explain(now: UInt64) {
    tell(feed.explained(held.tracer, now: now), now: now)
    explainedNs = now
  }

  private mutating func tell(_ failures: [Diagnosis], now: UInt64) {
    for failure in failures {
      journal.failed(failure, now: now)
      // What the program mended itself is no reason to write anything.
      if failure.operation.recoveredBy == nil {
        dumps?.policy.failed(FailureKind(failure), endNs: failure.operation.endNs, now: now)
      }
    }
  }

  /// What need not be done at once, and modules.
  private mutating func look() {
    for text in MonitorText.lines(groups.look(held.tracer)) { journal.note(text) }
    if sighting.look() { dumps?.update(environment) }
    // with kprobes in modules, they may go
    followModules()
    warn()
    let now = Clock.monotonic()
    lookNs = now
    journal.summarize(now: now)
    let tallies = held.tracer.tallies()
    feed.look(tallies, now: now)
    dumps?.look(held.tracer, tallies, now: now)
    if let problem = dumps?.problem() { journal.note(problem, .error) }
  }

  private mutating func followModules() {
    let changes: ModuleChanges
    if settings.pinModules {
      guard let late = held.tracer.attachLate() else { return }
      changes = late
    } else {
      changes = held.tracer.followModules()
      guard changes.isAny else { return }
    }
    for came in changes.came {
      var module =
        modules[came.module] ?? .init(name: came.module, attachments: 0, unwatchedNs: 0)
      module.attachments &+= 1
      if let from = came.fromNs { module.unwatchedNs &+= came.toNs &- from }
      modules[came.module] = module
      dumps?.tell(came)
    }
    dumps?.update(environment)
    // what failed before, by the hooks that there were
    explain(now: Clock.monotonic())
    feed.planned(held.tracer.plan, now: Clock.monotonic())
    for text in MonitorText.lines(changes) { journal.note(text) }
    service.ready(status)
    writeTextfile(now: Clock.monotonic())
  }

  private mutating func dump(_ isWanted: Bool, now: UInt64) {
    guard dumps != nil, isWanted || dumps?.policy.isDue(at: now) != nil else { return }
    drain()
    switch dumps?.write(held.tracer, isWanted: isWanted, now: now) {
    case .success(let path)?: journal.note("what led to the failures is in \(path)")
    case .failure(let error)?: journal.note("no recording is written: \(error.sentence)", .error)
    case nil: break
    }
  }

  private mutating func end() {
    service.stopping()
    defer { for warning in sight.blindness { journal.note(warning, .warning) } }
    held.tracer.stop()
    drain()
    let now = Clock.monotonic()
    tell(feed.explained(held.tracer, now: now, isLast: true), now: now)
    if dumps?.policy.isDue(at: .max) != nil { dump(true, now: now) }
    journal.summarize(now: now, isLast: true)
    dumps?.end()
    // Old numbers are no numbers.
    if let path = settings.textfile { _ = unlink(path) }
  }

  var status: String {
    let plan = held.tracer.plan
    let text = "\(plan.attached().count) of \(plan.rows.count) hooks attached"
    return ([text] + sight.blindness).joined(separator: "; ")
  }

  /// What it sees by now.
  var sight: Sight { held.tracer.plan.sight(of: sighting.devices) }

  /// Says what is not seen, where that has changed.
  private mutating func warn() {
    let sight = sight
    feed.sight = sight
    let warnings = sight.warnings
    guard warnings != warned else { return }
    for warning in warnings where !warned.contains(warning) { journal.note(warning, .warning) }
    warned = warnings
    if lookNs != 0 { service.ready(status) }
  }
}
