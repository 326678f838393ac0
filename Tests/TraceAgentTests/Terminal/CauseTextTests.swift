// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Model
import Testing

@testable import Terminal

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

@Suite struct CauseTextTests {
  @Test func docsAreThoseOfTheTable() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let file = try String(contentsOf: root.appending(path: "docs/causes.md"), encoding: .utf8)
    #expect(
      file == CauseMarkdown.render(Cause.all),
      "docs/causes.md is old: swift run mrtrace explain --markdown > docs/causes.md")
  }

  @Test(arguments: Cause.all.map(\.name))
  func everyPageIsWhole(_ name: String) throws {
    let cause = try #require(Cause.named(name))
    // Wide, so that no sentence is broken.
    let text = CauseText.page(cause, style: .plain(width: 1000)).replacing("\n", with: " ")
      .split(separator: " ").joined(separator: " ")
    for part in [cause.name, cause.brief, cause.check] + cause.advice + cause.references
      + cause.errnos.map(\.description) + cause.sites + cause.siteRows.map(\.evidence)
    {
      #expect(text.contains(part.split(separator: " ").joined(separator: " ")), "\(part)")
    }
  }

  @Test func errnoNamesItsCausesAndWhere() {
    let text = CauseText.errno(.perm, Cause.all, style: .plain())
    #expect(text.contains("EPERM (1)"))
    let memlock = text.split(separator: "\n").first { $0.contains("pin-memlock-forbidden") } ?? ""
    #expect(memlock.split(separator: " ").count { $0 == "yes" } == 1)
    #expect(!text.contains("pin-memlock-limit"))
    #expect(
      CauseText.errno(Errno(rawValue: 15), Cause.all, style: .plain()).contains("no cause"))
  }

  @Test func listHasEveryCauseOnce() {
    let text = CauseText.list(Cause.all, style: .plain())
    for cause in Cause.all {
      #expect(text.split(separator: "\n").count { $0.hasPrefix(cause.name + " ") } == 1)
    }
    #expect(text.contains("unknown"))
  }

  @Test func jsonOfAnErrno() throws {
    let line = CauseJSON.errnoLine(.opnotsupp, Cause.all)
    struct Answer: Decodable {
      struct Row: Decodable {
        var cause: String
        var operations: [String]
      }
      var errno: String
      var number: Int
      var causes: [Row]
    }
    let answer = try JSONDecoder().decode(Answer.self, from: Data(line.utf8))
    #expect(answer.errno == "EOPNOTSUPP" && answer.number == 95)
    #expect(answer.causes.first { $0.cause == "pin-fsdax" }?.operations == ["registration"])
    #expect(answer.causes.first { $0.cause == "advise-unsupported" }?.operations == ["prefetch"])
  }
}
