// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model
import Recording
import Terminal

/// One format. Takes recordings in as they are read, and keeps no more of them than the format needs.
package protocol Exporter {
  /// What is to come: at least one.
  mutating func begin(_ subjects: [ExportSubject]) throws(ExportError)
  /// Which records it is to be given.
  var records: ExportedRecords { get }
  /// Every record of every recording, in order of wall-clock time.
  mutating func add(_ event: Event, of subject: ExportSubject) throws(ExportError)
  /// Every operation, when nothing can be added to it any more: a failed one up to a second after its end.
  mutating func add(_ operation: ExportedOperation) throws(ExportError)
  /// The totals of each recording, in the order of `begin`.
  mutating func finish(_ totals: [ExportTotals]) throws(ExportError)
}

/// The records that an exporter looks at: the others are not decoded for it.
package enum ExportedRecords: Sendable { case all, pages, none }

extension Exporter {
  package var records: ExportedRecords { .all }
}

/// A recording: what is known of it before the first event.
package struct ExportSubject: Sendable {
  package let environment: RecordingEnvironment
  package let hooks: HookNames
  /// As it was given; another one's is different.
  package let name: String
  /// Among those that are exported together, from 0 on.
  package let index: Int
  /// Nothing else is exported with it: records need not say whose they are.
  package let isAlone: Bool

  package init(
    _ environment: RecordingEnvironment, name: String = "", index: Int = 0, of count: Int = 1
  ) {
    self.environment = environment
    self.name = name
    self.index = index
    isAlone = count == 1
    hooks = environment.hookNames
  }

  /// What the objects of several recordings say of where they come from.
  var origin: DiagnosisJSON.Origin? {
    isAlone ? nil : DiagnosisJSON.Origin(host: environment.hostname, recording: name)
  }

  var pageTables: PageTableFormat { environment.traits.pageTables }
  var kernel: KernelRelease? { KernelRelease(environment.traits.release) }

  /// Nanoseconds since 1970; nil when the sum does not fit (a broken recording).
  func wallTime(_ monotonicNs: UInt64) -> Int64? {
    guard let time = Int64(exactly: monotonicNs) else { return nil }
    let (sum, overflow) = time.addingReportingOverflow(environment.clockOffsetNs)
    return overflow ? nil : sum
  }
}

/// An operation with the few values that every format must tell alike.
package struct ExportedOperation: Sendable {
  package let subject: ExportSubject
  package var operation: Operation
  /// nil: it did not fail.
  package var diagnosis: Diagnosis?
  /// Wall clock, ns since 1970: of the start, or of the end where the start was not seen. As in
  /// `report --json`.
  package var timeNs: Int64?

  package init(_ operation: Operation, _ diagnosis: Diagnosis?, in subject: ExportSubject) {
    self.subject = subject
    self.operation = operation
    self.diagnosis = diagnosis
    timeNs = subject.wallTime(operation.startNs ?? operation.endNs)
  }

  /// Why its evidence is incomplete; empty where it is not.
  package var incomplete: [String] { diagnosis?.incomplete ?? operation.incomplete }

  /// nil where the start was not seen, or the clock ran backwards (a broken recording).
  package var durationNs: UInt64? {
    guard let start = operation.startNs, start <= operation.endNs else { return nil }
    return operation.endNs - start
  }

  /// The deepest function that failed.
  package var function: String? { diagnosis?.chain.first?.function }
  package var errno: String? { diagnosis?.errno.description }
  /// The failing page, or what was asked for, or the MR.
  package var address: UInt64? {
    diagnosis?.page?.address ?? operation.request?.start ?? operation.mr.address
  }
}

/// What is known after the last event.
package struct ExportTotals: Equatable, Sendable {
  /// Records read.
  package var records: UInt64 = 0
  package var operations: UInt64 = 0
  package var failures: UInt64 = 0
  package var causes: [String: UInt64] = [:]
  /// Records that found no room, as the packets of the recording count them.
  package var discarded: UInt64 = 0
  /// Operations whose end is not in the recording, and records of theirs.
  package var unfinishedOperations = 0
  package var unfinishedRecords = 0
  /// What became of every hook's calls, in order of the hooks' numbers.
  package var hooks: [HookAccount] = []
  /// What cannot be read, one sentence each.
  package var problems: [String] = []

  package init() {}

  /// Nothing was lost that the recording knows of.
  package var isComplete: Bool { summary.isComplete }

  /// All that is missing.
  package var summary: LossSummary {
    LossSummary(
      hooks: hooks, discarded: discarded, unfinishedOperations: UInt64(unfinishedOperations),
      problems: problems)
  }

  /// Records that found no room.
  package var lost: UInt64 { summary.lost }
}

extension [ExportTotals] {
  /// Records that found no room, of all.
  var lost: UInt64 {
    reduce(0) { sum, totals in
      let (sum, overflow) = sum.addingReportingOverflow(totals.lost)
      return overflow ? .max : sum
    }
  }

  /// All together, as one.
  var sum: ExportTotals {
    reduce(into: ExportTotals()) { sum, totals in
      // Counts come from recordings: no sum may trap.
      sum.records &+= totals.records
      sum.operations &+= totals.operations
      sum.failures &+= totals.failures
      sum.causes.merge(totals.causes) { $0 &+ $1 }
      sum.discarded &+= totals.discarded
      sum.unfinishedOperations &+= totals.unfinishedOperations
      sum.unfinishedRecords &+= totals.unfinishedRecords
      sum.problems += totals.problems
      sum.hooks += totals.hooks
    }
  }
}
