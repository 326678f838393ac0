// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model
import Recording

/// The JSON Schema of the JSON Lines export: of one line, whichever it is.
package enum JSONLinesSchema {
  package static var text: String {
    let definitions = records + OperationShapes.definitions
    let lines = definitions.map { "    \"\($0.name)\": \($0.shape.schema(indent: 4))" }
    let choices = (records.map(\.name) + ["failure", "operation"])
      .map { ##"    { "$ref": "#/$defs/\##($0)" }"## }
    return """
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of mrtrace export --to jsonl",
        "description": "Version \(JSONLinesExporter.formatMajor).\(JSONLinesExporter.formatMinor). \
      Members that are not known have no key. Members may be added: a reader ignores what it does not know.",
        "oneOf": [
      \(choices.joined(separator: ",\n"))
        ],
        "$defs": {
      \(lines.joined(separator: ",\n"))
        }
      }

      """
  }

  /// What the writers themselves say of the lines they write.
  private static var records: [(name: String, shape: Shape)] {
    let environment = placeholder
    let subject = ExportSubject(environment)
    let fields = EventFields(subject: subject)
    let events = samples.map { event in
      ("event_" + event.kindName, ShapeSink.shape { fields.write(event, to: &$0) })
    }
    return [
      ("header", ShapeSink.shape { JSONLinesExporter.header(environment, &$0) }),
      (
        "header_of_several",
        ShapeSink.shape { JSONLinesExporter.headerOfSeveral([subject], &$0) }
      ),
    ]
      + events + [
        ("loss", ShapeSink.shape { JSONLinesExporter.loss(.init(what: ""), subject, &$0) }),
        ("footer", ShapeSink.shape { JSONLinesExporter.footer([], &$0) }),
      ]
  }

  /// A recording of nothing: shapes do not depend on it.
  private static var placeholder: RecordingEnvironment {
    let traits = KernelTraits(
      machine: "", release: "",
      pageTables: PageTableFormat(
        architecture: .x86_64, devmapBit: nil, savedDirtyBit: nil, swapTypes: .v7, levels: 4),
      specialRule: .noDevmap, faultsOutsideWalk: false, rejectsMixedMap: false,
      pinsForWriteAlways: false, refusesFilePins: false)
    return RecordingEnvironment(
      toolVersion: "", traits: traits, kernelVersion: "", hostname: "", commandLine: [],
      detail: "", hookPlan: [], clockOffsetNs: 0, startWallNs: 0)
  }

  /// One record of each kind, and of a kind that is not known.
  private static var samples: [Event] { RecordKind.all.map(\.empty) + [.unknown(mrt_header())] }
}
