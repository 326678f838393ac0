// SPDX-License-Identifier: Apache-2.0

@testable import Report
@testable import Terminal

/// What a report writes, as values.
protocol ReportStrings {
  func text(style: Style, into output: inout some TextOutputStream)
  func jsonLines(all: Bool, into output: inout some TextOutputStream)
}

extension RecordingReport: ReportStrings {}
extension MergedReport: ReportStrings {}

extension ReportStrings {
  func text(_ style: Style = .plain()) -> String {
    var text = ""
    self.text(style: style, into: &text)
    return text
  }

  func jsonLines(all: Bool) -> [String] {
    var text = ""
    jsonLines(all: all, into: &text)
    return text.split(separator: "\n").map(String.init)
  }
}
