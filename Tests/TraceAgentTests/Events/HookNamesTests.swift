// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Foundation
import Model
import Testing

@Suite struct HookNamesTests {
  @Test func usualNames() {
    let names = HookNames()
    #expect(names[36] == "ib_umem_get")
    #expect(names[46] == "hmm_vma_walk_pud")
    #expect(names[UInt32(MRT_HOOK_HANDLE_PTE.rawValue)] == "hmm_vma_handle_pte")
    #expect(names[99] == "hook 99")
  }

  @Test func thePlanHasTheLastWord() {
    let names = HookNames(symbols: [
      36: "__ib_umem_get_va", 23: "pagefault_mr.constprop.0", 99: "new_function", 40: "",
    ])
    #expect(names[36] == "__ib_umem_get_va")
    #expect(names[23] == "pagefault_mr")
    #expect(names[99] == "new_function")
    #expect(names[40] == "hmm_range_fault")
  }

  private static let bpf = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../bpf")

  /// Of `enum mrt_hook`.
  private func numbers() throws -> [String: UInt32] {
    let header = try String(contentsOf: Self.bpf.appending(path: "events.h"), encoding: .utf8)
    let found = header.matches(of: /\n\t(MRT_HOOK_[A-Z0-9_]+) = ([0-9]+),/)
    return Dictionary(
      uniqueKeysWithValues: found.compactMap { match in
        UInt32(match.2).map { (String(match.1), $0) }
      })
  }

  /// Every hook of bpf/events.h has a name of its own.
  @Test func tableIsComplete() throws {
    let hooks = try numbers().filter { !["MRT_HOOK_NONE", "MRT_HOOK_COUNT"].contains($0.key) }
    #expect(hooks.count > 40)
    #expect(Set(HookNames.usual.keys) == Set(hooks.values))
    #expect(Set(HookNames.usual.values).count == hooks.count)
  }

  /// The programs have the same function for the same hook.
  @Test func programsAgree() throws {
    let numbers = try numbers()
    var pairs = 0
    for file in try FileManager.default.contentsOfDirectory(atPath: Self.bpf.path) {
      guard file.hasSuffix(".h") else { continue }
      let source = try String(contentsOf: Self.bpf.appending(path: file), encoding: .utf8)
      for match in source.matches(of: /\nON_[A-Z_]+\(([a-zA-Z0-9_]+),\s+(MRT_HOOK_[A-Z0-9_]+)/) {
        let number = try #require(numbers[String(match.2)])
        let function = try #require(WatchedFunction.byName[String(match.1)], "\(match.1)")
        #expect(function.number == number, "\(match.1)")
        pairs += 1
      }
    }
    #expect(pairs > 35, "\(pairs)")
  }
}
