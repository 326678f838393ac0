// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Foundation
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

  /// Every hook of bpf/events.h has a name of its own.
  @Test func tableIsComplete() throws {
    let header = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../bpf/events.h")
    let hooks = try String(contentsOf: header, encoding: .utf8).split(separator: "\n")
      .compactMap { line -> UInt32? in
        guard let found = line.firstMatch(of: /^\tMRT_HOOK_([A-Z0-9_]+) = ([0-9]+),/),
          found.1 != "NONE", found.1 != "COUNT"
        else { return nil }
        return UInt32(found.2)
      }
    #expect(hooks.count > 40)
    #expect(Set(HookNames.usual.keys) == Set(hooks))
    #expect(Set(HookNames.usual.values).count == hooks.count)
  }
}
