// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Terminal

@Suite struct JSONTests {
  @Test(arguments: [
    ("", "\"\""), ("plain", "\"plain\""), ("quote\" back\\", "\"quote\\\" back\\\\\""),
    ("\n\r\t", "\"\\n\\r\\t\""), ("nul\u{0}", "\"nul\\u0000\""), ("\u{1b}[2J", "\"\\u001b[2J\""),
    ("\u{7f}\u{9b}", "\"\\u007f\\u009b\""), ("\u{2028}\u{202e}", "\"\\u2028\\u202e\""),
    ("\u{e0041}", "\"\\udb40\\udc41\""), ("größe 页 🙂", "\"größe 页 🙂\""), ("a/b", "\"a/b\""),
  ])
  func quoting(value: String, text: String) {
    #expect(JSON.string(value).line == text)
  }

  /// Whatever bytes a process chose for its name, the line is valid JSON and gives the same string
  /// back.
  @Test func anyScalarComesBack() throws {
    var scalars = String.UnicodeScalarView()
    for value in UInt32(0)...0x3000 {
      if let scalar = Unicode.Scalar(value) { scalars.append(scalar) }
    }
    for value in [0xfeff, 0xfffd, 0xffff, 0x1f642, 0xe0041, 0x10ffff] as [UInt32] {
      if let scalar = Unicode.Scalar(value) { scalars.append(scalar) }
    }
    let text = String(scalars)
    let line = JSON.string(text).line
    #expect(!line.unicodeScalars.contains(where: SafeText.isUnsafe))
    let back = try JSONSerialization.jsonObject(with: Data(line.utf8), options: .fragmentsAllowed)
    #expect((back as? String).map { Array($0.unicodeScalars) } == Array(text.unicodeScalars))
  }

  @Test func numbersAreExact() {
    #expect(JSON.unsigned(.max).line == "18446744073709551615")
    #expect(JSON.signed(.min).line == "-9223372036854775808")
    #expect(JSON.hex(.max).line == "\"0xffffffffffffffff\"")
    #expect(JSON.hex(0).line == "\"0x0\"")
  }

  @Test func anObjectKeepsItsOrderAndLeavesOutTheUnknown() {
    var object = JSONObject()
    #expect(object.orNil == nil)
    object.add("b", "x")
    object.add("absent", nil as String?)
    object.add("absent", hex: nil)
    object.add("a\"", true)
    object.add("n", number: nil as UInt64?)
    object.add("list", .array([.bool(false), .strings([])]))
    #expect(JSON.object(object).line == #"{"b":"x","a\"":true,"list":[false,[]]}"#)
  }
}
