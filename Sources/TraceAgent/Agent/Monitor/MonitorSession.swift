// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Glibc
import Kernel
import Live
import Model
import Monitor
import Recording

/// One run of `monitor`. One thread owns everything.
package struct MonitorSession: ~Copyable {
  package typealias Reread = () throws(MonitorConfiguration.Problem) -> MonitorConfiguration

  private static let tickMs = 200
  static let secondNs: UInt64 = 1_000_000_000
  /// How long a failure may wait to be explained: that takes a look at what the kernel has counted of every hook.
  private static let explainNs: UInt64 = 500_000_000

  /// Reads the configuration again.
  let reread: Reread
  var settings: MonitorConfiguration
  let identity = RunIdentity()
  var attached: Attachment
  let feed: MonitorFeed
  var journal: Journal
  let service = ServiceManager(environment: Output.environment)
  let recordings: MonitorRecordings?
  var server: MetricsServer?
  private var groups: FollowedGroups
  var modules: [String: MonitorMetrics.Module] = [:]
  var own = MonitorMetrics.Own()
  /// What was said last of what is not seen.
  private var warned: [String] = []
  var page = ""
  var (pageNs, textfileNs, lookNs, aliveNs) = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
  private var explainedNs: UInt64 = 0
  var textfileFailed = false

  package static func run(
    _ settings: MonitorConfiguration, reread: @escaping Reread
  ) throws(AgentError) {
    let now = Clock.monotonic()
    var recordings: MonitorRecordings?
    if let path = settings.directory {
      do throws(MonitorDirectory.Problem) {
        recordings = MonitorRecordings(try MonitorDirectory(path), settings, now: now)
      } catch {
        throw .directory(path, error)
      }
    }
    let groups: FollowedGroups
    do throws(FollowedGroups.Unusable) {
      groups = try FollowedGroups(settings.filter.cgroups)
    } catch {
      throw .cgroup(error.path, error.why)
    }
    let attached = try AgentError.wrapping { () throws(KernelError) in
      try Attachment(tracer(settings, groups.present), tickMs: tickMs)
    }
    var session = MonitorSession(settings, reread, attached, recordings, groups, now: now)
    try session.begin()
    session.dropPrivileges()
    session.run()
  }

  private init(
    _ settings: MonitorConfiguration, _ reread: @escaping Reread,
    _ attached: consuming Attachment, _ recordings: MonitorRecordings?,
    _ groups: FollowedGroups, now: UInt64
  ) {
    self.reread = reread
    self.settings = settings
    self.recordings = recordings
    self.groups = groups
    feed = MonitorFeed(traits: attached.facts.traits, plan: attached.tracer.plan)
    journal = Journal(
      linesPerMinute: settings.linesPerMinute, now: now,
      isStream: Output.environment("JOURNAL_STREAM") != nil)
    self.attached = attached
  }

  private mutating func begin() throws(AgentError) {
    own.version = Version.current
    own.kernel = attached.facts.release
    own.startWallNs = identity.startWallNs
    try recordings?.begin(environment)
    try listen()
    for module in attached.tracer.hookedModules {
      modules[module] = .init(name: module, attachments: 1, unwatchedNs: 0)
    }
  }

  private static func tracer(
    _ settings: MonitorConfiguration, _ groups: [UInt64]
  ) -> TracerSettings {
    var wanted = TracerSettings(
      detail: settings.detail, statistics: true, ringSize: settings.ringSize)
    wanted.pinsModules = settings.pinModules
    wanted.filter = settings.filter.filter(cgroups: groups)
    return wanted
  }

  var environment: RecordingEnvironment {
    attached.environment(of: identity, detail: settings.detail)
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
    for gap in attached.tracer.plan.gaps(besides: sight) { journal.note(gap, .warning) }
    for note in settings.filter.notes(attached.facts) { journal.note(note, .warning) }
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
      let wake = attached.loop.wait()
      drain()
      var now = Clock.monotonic()
      if feed.isFull || isDue(explainedNs, every: Self.explainNs, at: now) { explain(now: now) }
      if let signal = wake.stop {
        guard signal == SIGHUP else { break }
        reload()
      }
      if attached.moduleEvents?.changed() == true || isDue(lookNs, every: Self.secondNs, at: now) {
        look()
      }
      // Both take their time, and what was done meanwhile is newer than the wake.
      now = Clock.monotonic()
      store(wake.write, now: now)
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
    guard recordings != nil else {
      let feed = feed
      attached.ring.drain { bytes in
        if let record = RecordLayout.record(in: bytes) { feed.add(record) }
      }
      return
    }
    let feed = feed
    recordings?.pump?.drain(attached.ring) { feed.add($0) }
  }

  private mutating func explain(now: UInt64) {
    tell(feed.explained(attached.tracer, now: now), now: now)
    explainedNs = now
  }

  private mutating func tell(_ failures: [Diagnosis], now: UInt64) {
    for failure in failures {
      journal.failed(failure, now: now)
      // What the program mended itself is no reason to write anything.
      if failure.operation.recoveredBy == nil {
        recordings?.policy.failed(FailureKind(failure), endNs: failure.operation.endNs, now: now)
      }
    }
  }

  /// What need not be done at once, and modules.
  private mutating func look() {
    for text in MonitorText.lines(groups.look(attached.tracer)) { journal.note(text) }
    if attached.lookForDevices() { recordings?.update(environment) }
    // with kprobes in modules, they may go
    followModules()
    warn()
    let now = Clock.monotonic()
    lookNs = now
    journal.summarize(now: now)
    let tallies = attached.tracer.tallies()
    feed.look(tallies, now: now)
    recordings?.look(attached.tracer, tallies, now: now)
    if let problem = recordings?.problem() { journal.note(problem, .error) }
  }

  private mutating func followModules() {
    let changes: ModuleChanges
    if settings.pinModules {
      guard let late = attached.tracer.attachLate() else { return }
      changes = late
    } else {
      changes = attached.tracer.followModules()
      guard changes.isAny else { return }
    }
    for came in changes.came {
      var module =
        modules[came.module] ?? .init(name: came.module, attachments: 0, unwatchedNs: 0)
      module.attachments &+= 1
      if let from = came.fromNs { module.unwatchedNs &+= came.toNs &- from }
      modules[came.module] = module
      recordings?.tell(came)
    }
    recordings?.update(environment)
    // what failed before, by the hooks that there were
    explain(now: Clock.monotonic())
    feed.planned(attached.tracer.plan, now: Clock.monotonic())
    for text in MonitorText.lines(changes) { journal.note(text) }
    service.ready(status)
    writeTextfile(now: Clock.monotonic())
  }

  private mutating func store(_ isWanted: Bool, now: UInt64) {
    guard recordings != nil, isWanted || recordings?.policy.isDue(at: now) != nil else { return }
    drain()
    switch recordings?.write(attached.tracer, isWanted: isWanted, now: now) {
    case .success(let path)?: journal.note("what led to the failures is in \(path)")
    case .failure(let error)?: journal.note("no recording is written: \(error.sentence)", .error)
    case nil: break
    }
  }

  private mutating func end() {
    service.stopping()
    defer { for warning in sight.blindness { journal.note(warning, .warning) } }
    attached.tracer.stop()
    drain()
    let now = Clock.monotonic()
    tell(feed.explained(attached.tracer, now: now, isLast: true), now: now)
    if recordings?.policy.isDue(at: .max) != nil { store(true, now: now) }
    journal.summarize(now: now, isLast: true)
    recordings?.end()
    // Old numbers are no numbers.
    if let path = settings.textfile { _ = unlink(path) }
  }

  var status: String {
    let plan = attached.tracer.plan
    let text = "\(plan.attached().count) of \(plan.rows.count) hooks attached"
    return ([text] + sight.blindness).joined(separator: "; ")
  }

  /// What it sees by now.
  var sight: Sight { attached.sight }

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
