// SPDX-License-Identifier: Apache-2.0

import Events
import Recording
import Terminal

/// JSON Lines: a header, records with a `type` each, losses, a footer.
package struct JSONLinesExporter: Exporter {
  static let formatMajor: UInt64 = 1
  static let formatMinor: UInt64 = 1

  private let output: ByteOutput
  /// Of each recording.
  private var fields: [EventFields] = []

  package init(_ output: ByteOutput) { self.output = output }

  package mutating func begin(_ subjects: [ExportSubject]) throws(ExportError) {
    fields = subjects.map { EventFields(subject: $0) }
    if subjects.count == 1 {
      JSONLine.write(to: output) { Self.header(subjects[0].environment, &$0) }
    } else {
      JSONLine.write(to: output) { Self.headerOfSeveral(subjects, &$0) }
    }
  }

  package mutating func add(_ event: Event, of subject: ExportSubject) throws(ExportError) {
    JSONLine.write(to: output) { fields[subject.index].write(event, to: &$0) }
    try output.flushIfFull()
  }

  package mutating func add(_ operation: ExportedOperation) throws(ExportError) {
    // The objects of report --json, which are a contract, with their type before.
    let type: String
    let line: String
    let offset = operation.subject.environment.clockOffsetNs
    let origin = operation.subject.origin
    if let diagnosis = operation.diagnosis {
      type = "failure"
      line = DiagnosisJSON.line(diagnosis, clockOffsetNs: offset, origin: origin)
    } else {
      type = "operation"
      line = DiagnosisJSON.operationLine(
        operation.operation, clockOffsetNs: offset, origin: origin)
    }
    output.append(text: "{\"type\":\"\(type)\",")
    output.append(line.utf8.dropFirst())
    output.append(UInt8(ascii: "\n"))
    try output.flushIfFull()
  }

  package mutating func finish(_ totals: [ExportTotals]) throws(ExportError) {
    for (fields, totals) in zip(fields, totals) {
      for loss in totals.missing {
        JSONLine.write(to: output) { Self.loss(loss, fields.subject, &$0) }
      }
    }
    JSONLine.write(to: output) { Self.footer(totals, &$0) }
    try output.flush()
  }

  static func header(_ environment: RecordingEnvironment, _ sink: inout some FieldSink) {
    format(&sink)
    about(environment, &sink)
  }

  /// Instead of ``header(_:_:)``: each recording with its name.
  static func headerOfSeveral(_ subjects: [ExportSubject], _ sink: inout some FieldSink) {
    format(&sink)
    sink.objects("recordings", subjects, sample: subjects[0]) { subject, sink in
      sink.text("name", subject.name)
      about(subject.environment, &sink)
    }
  }

  private static func format(_ sink: inout some FieldSink) {
    sink.constant("type", "header")
    sink.constant("format", "mrtrace-jsonl")
    sink.object("version") {
      $0.number("major", formatMajor)
      $0.number("minor", formatMinor)
    }
  }

  private static func about(_ environment: RecordingEnvironment, _ sink: inout some FieldSink) {
    sink.object("recording") {
      $0.text("tool_version", environment.toolVersion)
      $0.number("format_major", UInt64(clamping: environment.formatMajor))
      $0.number("format_minor", UInt64(clamping: environment.formatMinor))
      $0.text("detail", environment.detail)
      $0.texts("command", environment.commandLine)
    }
    sink.object("kernel") {
      $0.text("hostname", environment.hostname)
      $0.text("release", environment.kernelRelease)
      $0.text("version", environment.kernelVersion)
      $0.text("machine", environment.machine)
      $0.text("build_id", environment.buildID)
    }
    sink.object("clock") {
      $0.constant("time_ns", "CLOCK_REALTIME")
      $0.constant("monotonic_ns", "CLOCK_MONOTONIC")
      $0.signed("offset_ns", environment.clockOffsetNs)
      $0.number("start_ns", environment.startWallNs)
    }
    sink.objects(
      "hooks", environment.hookPlan, sample: .init(hook: 0, symbol: "", rungName: "")
    ) { hook, sink in
      sink.number("hook", hook.hook)
      sink.text("symbol", hook.symbol)
      sink.text("module", hook.module)
      sink.text("rung", hook.rungName)
      sink.text("note", hook.note)
    }
  }

  static func loss(_ loss: Loss, _ subject: ExportSubject, _ sink: inout some FieldSink) {
    sink.constant("type", "loss")
    sink.field("what", .oneOf(Loss.kinds), isRequired: true, .text(loss.what))
    sink.text("function", loss.function)
    sink.number("count", loss.count)
    sink.text("sentence", loss.sentence)
    sink.text("recording", subject.isAlone ? nil : subject.name)
  }

  static func footer(_ all: [ExportTotals], _ sink: inout some FieldSink) {
    let totals = all.sum
    sink.constant("type", "footer")
    sink.number("events", totals.records)
    sink.number("operations", totals.operations)
    sink.number("failures", totals.failures)
    sink.counts(
      "causes", totals.causes.sorted { $0.key < $1.key }.map { (key: $0.key, count: $0.value) })
    sink.number("lost", all.lost)
    sink.flag("complete", totals.isComplete)
  }
}
