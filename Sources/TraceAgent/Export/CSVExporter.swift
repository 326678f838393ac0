// SPDX-License-Identifier: Apache-2.0

import Events

/// CSV as RFC 4180 has it: a header, one row an operation; an empty cell is a value that is not known.
package struct CSVExporter: Exporter {
  private let output: ByteOutput

  package init(_ output: ByteOutput) { self.output = output }

  package mutating func begin(_ subjects: [ExportSubject]) throws(ExportError) {
    row(OperationColumns.names)
  }

  package var records: ExportedRecords { .none }

  package mutating func add(_ event: Event, of subject: ExportSubject) throws(ExportError) {}

  package mutating func add(_ operation: ExportedOperation) throws(ExportError) {
    row(OperationColumns.values(of: operation).map(Self.text))
    try output.flushIfFull()
  }

  package mutating func finish(_ totals: [ExportTotals]) throws(ExportError) { try output.flush() }

  private func row(_ cells: [String]) {
    for (index, cell) in cells.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      write(cell)
    }
    output.append("\r\n")
  }

  private func write(_ cell: String) {
    let isPlain = cell.utf8.allSatisfy {
      $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "\"") && $0 >= 0x20
    }
    guard !isPlain else { return output.append(text: cell) }
    output.append(UInt8(ascii: "\""))
    for byte in cell.utf8 {
      if byte == UInt8(ascii: "\"") { output.append(byte) }
      output.append(byte)
    }
    output.append(UInt8(ascii: "\""))
  }

  private static func text(_ value: OperationColumns.Value?) -> String {
    switch value {
    case nil: ""
    case .text(let text): text
    case .number(let number): String(number)
    case .signed(let number): String(number)
    case .hex(let number): "0x" + String(number, radix: 16)
    case .flag(let flag): flag ? "true" : "false"
    case .names(let names): names.joined(separator: "|")
    }
  }
}
