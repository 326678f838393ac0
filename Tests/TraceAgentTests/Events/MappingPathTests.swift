// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Testing

@Suite struct MappingPathTests {
  private func path(_ names: String, flags: UInt32 = 0) -> (text: String, isCut: Bool) {
    SampleEvents.mapping(flags: flags, path: names).filePath
  }

  @Test(arguments: [
    ("pool\0pmem\0mnt\0/\0", "/mnt/pmem/pool"),
    // No root dentry recorded.
    ("pool\0pmem\0mnt\0", "/mnt/pmem/pool"),
    // The root dentry of each mount on the way.
    ("pool\0/\0pmem\0mnt\0/\0", "/mnt/pmem/pool"),
    ("/\0", "/"),
    ("", "/"),
    ("memfd:buffer\0", "/memfd:buffer"),
  ])
  func whole(names: String, expected: String) {
    #expect(path(names).text == expected)
    #expect(!path(names).isCut)
  }

  @Test func cutPathsSaySo() {
    #expect(path("pool\0pmem\0", flags: MRT_MAPPING_PATH_CUT) == ("…/pmem/pool", true))
    // The last name is not ended: it is a part of a name, and no more is known.
    #expect(path("pool\0pm") == ("…/pool", true))
    #expect(path("poo") == ("…/poo", true))
  }
}
