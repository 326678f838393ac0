// SPDX-License-Identifier: Apache-2.0

@testable import Terminal
@testable import mrtrace

/// What a report writes, as values.
extension RecordingReport {
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

extension MergedReport {
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
