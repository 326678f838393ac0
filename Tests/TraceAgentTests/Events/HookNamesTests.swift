// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
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

  /// Every hook of events.h up to MRT_HOOK_COUNT has a name, but the holes between the groups.
  @Test func tableIsComplete() {
    let hooks = [
      Array(1...5), Array(10...14), Array(20...26), Array(30...36), Array(40...48),
      [50], Array(60...68), [70, 72],
    ].flatMap { $0 }
    #expect(Set(HookNames.usual.keys) == Set(hooks.map(UInt32.init)))
    #expect(Set(HookNames.usual.values).count == hooks.count)
  }
}
