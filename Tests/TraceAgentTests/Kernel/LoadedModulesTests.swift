// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Kernel

/// /proc/modules: a module a line, its name first.
@Suite struct LoadedModulesTests {
  @Test(arguments: [
    ("", []),
    ("ib_core 569344 3 rdma_rxe,ib_uverbs,rdma_cm, Live 0x0000000000000000\n", ["ib_core"]),
    ("a 1 0 - Live 0x0\nb_c 2 1 a, Live 0x0 (OE)\n", ["a", "b_c"]),
    ("cut", ["cut"]),
    ("a 1 0 - Loading 0x0\nb 1 0 - Live 0x0\nc 1 0 - Unloading 0x0 (OE)\n", ["b"]),
  ])
  func namesAreTheFirstWords(text: String, names: [String]) throws {
    let scratch = try ScratchDirectory()
    try text.write(toFile: scratch("modules"), atomically: true, encoding: .utf8)
    #expect(KernelFacts.loadedModules(in: scratch("modules")) == Set(names))
  }

  @Test func withoutTheFileThereAreNone() {
    #expect(KernelFacts.loadedModules(in: "/nonexistent") == [])
  }
}
