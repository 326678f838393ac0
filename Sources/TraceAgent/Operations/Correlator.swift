// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model

/// Events to operations: which evidence belongs to which registration, prefetch or page fault.
///
/// Records of one operation carry the same tid and operation number. In the ring buffer the
/// evidence always comes before the OPERATION record that ends it; in a recording, whose streams
/// are merged by time, some may come a little later, for which a failed operation then waits
/// ``Configuration/lateNs``. A failed registration waits for what its thread does next, at most
/// ``Configuration/recoveryNs``, because that may be its cure.
package struct Correlator: Sendable {
  package struct Configuration: Equatable, Sendable {
    /// How long evidence may come after the end of its operation, where that failed, ns of event
    /// time.
    package var lateNs: UInt64
    /// How long after a failed registration the same thread may mend it, ns of event time.
    package var recoveryNs: UInt64 = 1_000_000_000
    /// Operations with evidence and without end that are kept.
    package var pendingOperations = 4096
    /// Records of evidence kept of one operation.
    package var recordsPerOperation = 4096
    /// Failures whose evidence others may share, as many as the kernel side keeps (bpf/repeats.h).
    package var repeatedFailures = 1024
    /// Memory regions known at a time.
    package var regions = 65536
    /// Operations that succeeded are returned too; else they are only counted in ``ended``.
    package var returnsSuccesses = true
    /// Operations that began before this time may lack evidence (CLOCK_MONOTONIC, ns).
    package var completeFromNs: UInt64?

    package init(lateNs: UInt64) { self.lateNs = lateNs }

    /// Records in the order of the ring buffer.
    package static let live = Configuration(lateNs: 0)
    /// Events in the order of their time.
    package static let recording = Configuration(lateNs: 10_000_000)
    /// As ``recording``, of a recording that holds everything only from `completeFromNs` on.
    package static func recording(completeFromNs: UInt64?) -> Configuration {
      var configuration = recording
      configuration.completeFromNs = completeFromNs
      return configuration
    }
  }

  /// What could not be made an operation.
  package struct Statistics: Equatable, Sendable {
    /// Operations whose end was not seen, given up or left over at the end, and their records.
    package var unfinishedOperations = 0
    package var unfinishedRecords = 0
    /// OPERATION records of a kind this version does not know.
    package var unknownOperations = 0
  }

  package let hooks: HookNames
  package let configuration: Configuration
  package private(set) var symbols = SymbolTable()
  /// Operations that have ended, all of them: returned already, waiting, or not to be returned.
  package private(set) var ended = OperationCounts()
  /// How long they took.
  package private(set) var latencies = OperationLatencies()

  private var pending: PendingEvidence
  private var regions: RegionTable
  /// Operations that wait for nothing.
  private var ready: [Operation] = []
  private var late: LateWindow
  private var recovery = RecoveryWindow()
  private var repeated: RepeatedEvidence
  private var endedLast: EndedOperations
  private var comms: [Int: CommName] = [:]
  private var unknownOperations = 0
  private var now: UInt64 = 0

  package init(hooks: HookNames = HookNames(), configuration: Configuration = .live) {
    self.hooks = hooks
    self.configuration = configuration
    pending = PendingEvidence(
      operationLimit: configuration.pendingOperations,
      recordLimit: configuration.recordsPerOperation)
    regions = RegionTable(limit: configuration.regions)
    late = LateWindow(lateNs: configuration.lateNs)
    repeated = RepeatedEvidence(limit: configuration.repeatedFailures)
    endedLast = EndedOperations(limit: configuration.pendingOperations)
  }

  /// What belongs to no operation ends no wait: the agent's own word, for one, may stand anywhere. ``RecordOrder``
  /// measures how late the others come.
  private mutating func note(_ header: mrt_header) {
    if header.operation != 0 { now = max(now, header.time_ns) }
  }

  /// Evidence may come so much later than its time: waits at least as long for it.
  package mutating func wait(_ lateNs: UInt64) { late.wait(lateNs) }

  package var statistics: Statistics {
    Statistics(
      unfinishedOperations: pending.abandonedOperations + pending.count,
      unfinishedRecords: pending.abandonedRecords + pending.records,
      unknownOperations: unknownOperations)
  }

  /// Takes one event in; returns the operations that are finished by it, seldom more than one.
  package mutating func add(_ event: Event) -> [Operation] {
    let header = event.header
    note(header)
    switch event {
    case .operation(let record): end(record)
    case .symbol(let record): symbols.add(record)
    case .cgroup(let record): symbols.add(record)
    case .omitted(let record): omit(record)
    case .counter, .account, .shed, .pages, .unknown: break
    default: keep(event, header)
    }
    return due()
  }

  /// As ``add(_:)-(Event)``, of a record in its place: adds the operations that are finished by it
  /// to `operations`.
  package mutating func add(_ record: RecordView, into operations: inout [Operation]) {
    note(record.header)
    if record.isKnown {
      switch mrt_kind(rawValue: record.header.kind) {
      case MRT_KIND_OPERATION: if let operation = record.operation { end(operation) }
      case MRT_KIND_SYMBOL: if let symbol = record.symbol { symbols.add(symbol) }
      case MRT_KIND_CGROUP: if let group = record.cgroup { symbols.add(group) }
      case MRT_KIND_OMITTED: if let omitted = record.omitted { omit(omitted) }
      case MRT_KIND_COUNTER, MRT_KIND_ACCOUNT, MRT_KIND_SHED, MRT_KIND_PAGES: break
      default: keep(record)
      }
    }
    if isDue { operations += due() }
  }

  /// Returns the operations that need wait no longer at `timeNs` (CLOCK_MONOTONIC, ns), though no
  /// event came.
  package mutating func advance(to timeNs: UInt64) -> [Operation] {
    now = max(now, timeNs)
    return due()
  }

  /// Returns all operations that were still waiting: no event follows.
  package mutating func finish() -> [Operation] {
    var operations: [Operation] = []
    late.takeAll(into: &operations)
    operations += recovery.takeAll().map(\.operation)
    for index in operations.indices { symbols.name(&operations[index]) }
    return operations
  }

  private mutating func keep(_ event: Event, _ header: mrt_header) {
    if case .layer(let record) = event, header.hook == MRT_HOOK_ODP_RELEASE.rawValue {
      // struct ib_umem_odp begins with its struct ib_umem: the argument is the umem's identity.
      regions.release(umem: record.arguments.0)
    }
    guard header.operation != 0 else { return }
    let key = OperationKey(tid: header.tid, operation: header.operation)
    if pending.append(event, to: key) || addLate(event, to: key) { return }
    pending.begin(event, of: key)
  }

  private mutating func keep(_ record: RecordView) {
    let header = record.header
    if header.hook == MRT_HOOK_ODP_RELEASE.rawValue, let layer = record.layer {
      regions.release(umem: layer.arguments.0)
    }
    guard header.operation != 0 else { return }
    let key = OperationKey(tid: header.tid, operation: header.operation)
    if pending.append(record, to: key) { return }
    if late.holds(key) || recovery.holds(key), addLate(record.event, to: key) { return }
    pending.begin(record, of: key)
  }

  /// Adds evidence to an operation that has ended and waits; false where none does.
  private mutating func addLate(_ event: Event, to key: OperationKey) -> Bool {
    repeated.add(event, to: key, hooks: hooks)
    return late.add(event, to: key, hooks: hooks) || recovery.add(event, to: key, hooks: hooks)
  }

  /// It ended, and was not asked for: its evidence belongs to nobody.
  private mutating func omit(_ record: mrt_omitted) {
    guard record.h.operation != 0 else { return }
    pending.drop(OperationKey(tid: record.h.tid, operation: record.h.operation))
  }

  private mutating func end(_ record: mrt_operation) {
    let key = OperationKey(tid: record.h.tid, operation: record.h.operation)
    let isReturned = configuration.returnsSuccesses || record.result < 0
    if !isReturned, endQuietly(record, key) { return }
    guard endedLast.insert(record) else { return }
    // Operation 0 is none: its records belong to nobody.
    let evidence = record.h.operation == 0 ? .init() : pending.take(key)
    guard var operation = Operation(record) else {
      unknownOperations += 1
      return
    }
    operation.root = hooks[record.h.hook]
    ended[operation.kind] += 1
    latencies.add(operation)
    if isReturned { for event in evidence.events { operation.add(event, hooks: hooks) } }
    if operation.repeatsAfterNs != nil {
      // what it repeats was lost, or is in a part that is gone
      if isReturned, !repeated.lend(to: &operation, key: key) { operation.lost += 1 }
    } else if isReturned, operation.failed {
      repeated.keep(operation, key: key)
    }
    operation.lost += evidence.dropped
    operation.dropped = evidence.dropped
    if let from = configuration.completeFromNs {
      operation.beganBeforeRecording = operation.startNs.map { $0 < from } ?? true
    }
    regions.complete(&operation)
    regions.explain(&operation)
    nameOwner(of: &operation)
    regions.learn(from: operation)
    if let mended = recovery.next(operation) { late.hold(mended.operation, key: mended.key) }
    if operation.failed && operation.kind == .regMR {
      recovery.hold(operation, key: key, until: operation.endNs &+ configuration.recoveryNs)
    } else if operation.failed {
      late.hold(operation, key: key)
    } else if isReturned {
      ready.append(operation)
    }
  }

  /// An operation that is not to be returned and teaches nothing but a name; false where it may
  /// teach more.
  private mutating func endQuietly(_ record: mrt_operation, _ key: OperationKey) -> Bool {
    guard let kind = Operation.Kind(number: record.kind), !kind.isRegistration,
      !recovery.waits(for: record.h.tid)
    else { return false }
    if record.h.operation != 0 { pending.drop(key) }
    ended[kind] += 1
    if record.has & MRT_HAS_START != 0 {
      latencies.add(kind, failed: false, startNs: record.start_ns, endNs: record.h.time_ns)
    }
    if let (owner, comm) = Operation.owner(in: record), !comm.isEmpty,
      comms[owner]?.comm != comm
    {
      learn(CommName(comm), of: owner)
    }
    return true
  }

  /// The comm of a process is known from its own operations, or from any that names it as the
  /// owner.
  private mutating func nameOwner(of operation: inout Operation) {
    guard let owner = operation.ownerPID else { return }
    if let comm = operation.ownerComm, !comm.isEmpty {
      if comms[owner]?.text != comm { learn(CommName(text: comm), of: owner) }
    } else {
      operation.ownerComm = comms[owner]?.text
    }
  }

  private mutating func learn(_ comm: CommName, of owner: Int) {
    if comms.count >= configuration.regions { comms.removeAll(keepingCapacity: true) }
    comms[owner] = comm
  }

  /// Whether ``due()`` may have something.
  private var isDue: Bool {
    !ready.isEmpty || late.isDue(at: now) || recovery.isDue(at: now)
  }

  private mutating func due() -> [Operation] {
    guard isDue else { return [] }
    for waiting in recovery.takeDue(at: now) { late.hold(waiting.operation, key: waiting.key) }
    var operations: [Operation] = []
    late.takeDue(at: now, into: &operations)
    operations += ready
    ready.removeAll(keepingCapacity: true)
    for index in operations.indices { symbols.name(&operations[index]) }
    return operations
  }
}

extension Correlator {
  /// Correlates a whole recording: all operations, in order of their end.
  package static func correlate(
    _ events: some Sequence<Event>, hooks: HookNames = HookNames()
  ) -> (operations: [Operation], statistics: Statistics) {
    var correlator = Correlator(hooks: hooks, configuration: .recording)
    var operations: [Operation] = []
    for event in events { operations += correlator.add(event) }
    operations += correlator.finish()
    for index in operations.indices { correlator.symbols.name(&operations[index]) }
    // Swift's sort is stable, though not by promise: equal times keep their order by the number.
    let order = operations.indices.sorted {
      (operations[$0].endNs, $0) < (operations[$1].endNs, $1)
    }
    return (order.map { operations[$0] }, correlator.statistics)
  }
}
