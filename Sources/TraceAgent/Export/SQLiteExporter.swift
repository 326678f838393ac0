// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model
import Recording

/// An SQLite database, written in one transaction; indexes and views come last.
package struct SQLiteExporter: Exporter {
  private let database: SQLiteDatabase
  private let operations: SQLiteStatement
  private let failures: SQLiteStatement
  private let chain: SQLiteStatement
  private let pages: SQLiteStatement
  private let mappings: SQLiteStatement
  private let layers: SQLiteStatement
  private let statistics: SQLiteStatement
  /// Of each recording.
  private var ids: [SQLiteStatement.Value] = []
  private var lastID: Int64 = 0

  /// `path` is that of a file that is there and empty.
  package init(path: String) throws(ExportError) {
    database = try SQLiteDatabase(path)
    try database.run("BEGIN;")
    for table in SQLiteTables.all { try database.run(table.creation) }
    operations = try database.insert(into: SQLiteTables.operations)
    failures = try database.insert(into: SQLiteTables.failures)
    chain = try database.insert(into: SQLiteTables.chain)
    pages = try database.insert(into: SQLiteTables.pages)
    mappings = try database.insert(into: SQLiteTables.mappings)
    layers = try database.insert(into: SQLiteTables.layers)
    statistics = try database.insert(into: SQLiteTables.statistics)
  }

  package mutating func begin(_ subjects: [ExportSubject]) throws(ExportError) {
    let recordings = try database.insert(into: SQLiteTables.recordings)
    for subject in subjects {
      let environment = subject.environment
      try recordings.add([
        subject.id, .text(subject.name), .text(environment.hostname),
        .text(environment.kernelRelease), .count(environment.startWallNs),
        .integer(environment.clockOffsetNs),
      ])
      try describe(subject)
    }
    ids = subjects.map(\.id)
  }

  private func describe(_ subject: ExportSubject) throws(ExportError) {
    let environment = subject.environment
    let values: [(String, SQLiteStatement.Value?)] = [
      ("tool_version", .text(environment.toolVersion)),
      ("format_major", .int(environment.formatMajor)),
      ("format_minor", .int(environment.formatMinor)),
      ("hostname", .text(environment.hostname)),
      ("kernel_release", .text(environment.kernelRelease)),
      ("kernel_version", .text(environment.kernelVersion)),
      ("kernel_build_id", environment.buildID.map { .text($0) }),
      ("machine", .text(environment.machine)), ("detail", .text(environment.detail)),
      ("command", .text(environment.commandLine.joined(separator: " "))),
      ("clock_offset_ns", .integer(environment.clockOffsetNs)),
      ("start_ns", .count(environment.startWallNs)),
    ]
    let recording = try database.insert(into: SQLiteTables.recording)
    for (key, value) in values { try recording.add([.text(key), value, subject.id]) }
    let hooks = try database.insert(into: SQLiteTables.hooks)
    for hook in environment.hookPlan {
      try hooks.add([
        .count(UInt64(hook.hook)), .text(hook.symbol), hook.module.map { .text($0) },
        .text(hook.rungName), hook.note.map { .text($0) }, subject.id,
      ])
    }
  }

  package var records: ExportedRecords { .pages }

  package mutating func add(_ event: Event, of subject: ExportSubject) throws(ExportError) {
    guard case .pages(let record) = event else { return }
    let entry = PageStatistic(record, format: subject.pageTables)
    try statistics.add([
      .text(entry.level), .bits(record.bits), entry.flags.map { .names($0) }, .text(entry.outcome),
      .count(record.pages), .count(UInt64(record.weight)), subject.id,
    ])
  }

  package mutating func add(_ exported: ExportedOperation) throws(ExportError) {
    lastID += 1
    let operation = exported.operation
    try operations.add([
      .integer(lastID), exported.timeNs.map { .integer($0) }, operation.startNs.map { .count($0) },
      .count(operation.endNs), exported.durationNs.map { .count($0) },
      .text(operation.kind.rawValue), operation.ownerPID.map { .int($0) },
      operation.ownerComm.map { .text($0) }, .int(operation.runner.tid),
      .int(operation.runner.pid), .text(operation.runner.comm), operation.device.map { .text($0) },
      .integer(operation.result), .flag(operation.failed),
      operation.mr.address.map { .bits($0) }, operation.mr.length.map { .count($0) },
      operation.mr.iova.map { .bits($0) },
      operation.mr.access.map { .names(AccessFlags.names($0)) },
      operation.request.map { .bits($0.start) }, operation.request.map { .count($0.length) },
      operation.lkey.map { .count(UInt64($0)) },
      operation.advice.map { .count(UInt64($0.advice)) }, .int(operation.lost),
      exported.incomplete.isEmpty ? nil : .text(exported.incomplete.joined(separator: "; ")),
      exported.subject.id, .flag(operation.kindSeen),
    ])
    if let diagnosis = exported.diagnosis { try add(diagnosis, of: exported) }
  }

  private func add(
    _ diagnosis: Diagnosis, of exported: ExportedOperation
  ) throws(ExportError) {
    let id = SQLiteStatement.Value.integer(lastID)
    try failures.add([
      id, .text(diagnosis.errno.description), exported.function.map { .text($0) },
      exported.address.map { .bits($0) }, .text(diagnosis.cause),
      .text(diagnosis.confidence.rawValue), diagnosis.delivered.map { .text($0.rawValue) },
      exported.operation.recoveredBy.map { .text($0) },
      exported.mapping?.file.map { .text($0.path) }, diagnosis.fileOffset.map { .count($0) },
      .text(diagnosis.summary), exported.operation.owner?.containerPID.map { .int($0) },
      exported.operation.owner?.cgroupPath.map { .text($0) },
      exported.operation.repeatsAfterNs.map { .count($0) },
      exported.operation.followedBy.map { .text($0) },
    ])
    for (position, link) in diagnosis.chain.enumerated() {
      try chain.add([
        id, .int(position), .text(link.function), .text(link.result.description),
        .text(link.seen.rawValue),
      ])
    }
    if let page = diagnosis.page { try add(page, id) }
    for mapping in exported.operation.mappings {
      let below = exported.operation.backings.first {
        $0.address == mapping.address && $0.path != nil
      }
      try add(
        mapping, id, of: diagnosis.kernel, below: below?.path?.text,
        isFailing: mapping == diagnosis.mapping)
    }
    for layer in Layer.all(of: exported.operation) { try add(layer, id) }
  }

  private func add(_ page: Diagnosis.Page, _ id: SQLiteStatement.Value) throws(ExportError) {
    try pages.add([
      id, .bits(page.address), page.level.map { .text($0) }, page.raw.map { .bits($0) },
      page.raw == nil ? nil : .names(page.flags), .flag(true),
    ])
    for neighbour in page.neighbours where neighbour.address != page.address {
      try pages.add([
        id, .bits(neighbour.address), page.level.map { .text($0) }, .bits(neighbour.raw),
        .names(neighbour.flags), .flag(false),
      ])
    }
  }

  private func add(
    _ mapping: MappingEvidence, _ id: SQLiteStatement.Value, of kernel: KernelRelease?,
    below: String?, isFailing: Bool
  ) throws(ExportError) {
    let file = mapping.file
    func known(_ value: SQLiteStatement.Value) -> SQLiteStatement.Value? {
      mapping.found ? value : nil
    }
    try mappings.add([
      id, .bits(mapping.address), .flag(mapping.found), known(.bits(mapping.start)),
      known(.bits(mapping.end)), known(.bits(mapping.vmFlags)),
      known(.names(VMAFlags.names(mapping.vmFlags, of: kernel))),
      mapping.previousEnd.map { .bits($0) },
      mapping.nextStart.map { .bits($0) }, known(.flag(mapping.isAnonymous)),
      known(.flag(mapping.isFSDAX)), known(.flag(mapping.isHugeTLB)), file.map { .text($0.path) },
      file.map { .count($0.size) }, file.map { .bits($0.inode) },
      file.map { .text($0.filesystem) }, file.map { .text($0.blockDevice) }, .flag(isFailing),
      below.map { .text($0) },
    ])
  }

  private func add(_ layer: Layer, _ id: SQLiteStatement.Value) throws(ExportError) {
    try layers.add([
      id, .count(layer.timeNs), .text(layer.kind.rawValue), .text(layer.function),
      layer.result.map { .integer($0) }, layer.resultText.map { .text($0) },
      layer.start.map { .bits($0) }, layer.end.map { .bits($0) },
      layer.rung.map { .text($0.rawValue) },
    ])
  }

  package mutating func finish(_ totals: [ExportTotals]) throws(ExportError) {
    for (id, totals) in zip(ids, totals) { try add(totals, id) }
    for table in SQLiteTables.all where !table.indexed.isEmpty { try database.run(table.indexes) }
    try database.run(SQLiteTables.views)
    try database.run("COMMIT;")
  }

  private func add(_ totals: ExportTotals, _ id: SQLiteStatement.Value) throws(ExportError) {
    let loss = try database.insert(into: SQLiteTables.loss)
    for hook in totals.hooks {
      func known(_ count: UInt64) -> SQLiteStatement.Value? { hook.isFull ? .count(count) : nil }
      try loss.add([
        .count(UInt64(hook.hook)), .text(hook.function), .text(hook.rung.rawValue),
        .count(hook.calls),
        known(hook.reported), known(hook.cut), known(hook.aggregated), .count(hook.filtered),
        known(hook.unstarted), .count(hook.missed), known(hook.missedReturns),
        known(hook.missedEntries), known(hook.running), .count(hook.failed),
        .count(hook.untracked), .count(hook.recorded), .count(hook.lost), known(hook.received),
        known(hook.written), id,
      ])
    }
    let problems = try database.insert(into: SQLiteTables.problems)
    for sentence in totals.problems { try problems.add([.text(sentence), id]) }
    let recording = try database.insert(into: SQLiteTables.recording)
    for (key, count) in [
      ("records", totals.records), ("records_lost", totals.lost),
      ("operations", totals.operations), ("failures", totals.failures),
      ("unfinished_operations", UInt64(totals.unfinishedOperations)),
      ("complete", totals.isComplete ? 1 : 0),
    ] {
      try recording.add([.text(key), .count(count), id])
    }
  }
}

extension ExportSubject {
  /// Of the table `recordings`, from 1 on.
  fileprivate var id: SQLiteStatement.Value { .int(index + 1) }
}
