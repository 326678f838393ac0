// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Glibc
import Testing

@testable import Kernel

@Suite struct ProcessMapsTests {
  private static let text = """
    561f8c97d000-561f8c99e000 rw-p 00000000 00:00 0                          [heap]
    7f1caa5f8000-7f1caa608000 rw-p 00000000 00:00 0
    7f1caa6ce000-7f1caa823000 r-xp 00026000 fe:00 1311                       /usr/lib/libc.so.6
    7f1caa823000-7f1caa824000 r-xp 00001000 fe:00 7                          /tmp/with a space/x (deleted)
    ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]

    """

  @Test func namesFileAndOffset() {
    let maps = ProcessMaps(Array(Self.text.utf8))
    #expect(maps.mappings.count == 4)
    #expect(maps.name(of: 0x7f1c_aa6c_e000) == "libc.so.6+0x26000")
    #expect(maps.name(of: 0x7f1c_aa82_2fff) == "libc.so.6+0x17afff")
    #expect(maps.name(of: 0x7f1c_aa82_3010) == "x (deleted)+0x1010")
    #expect(maps.name(of: 0x561f_8c97_edf0) == "[heap]+0x1df0")
    // without a name, and where nothing is
    #expect(maps.name(of: 0x7f1c_aa5f_8000) == nil)
    #expect(maps.name(of: 0x7f1c_aa82_4000) == nil)
  }

  /// The kernel writes it, but nothing here may trap on what it could write.
  @Test func brokenLinesAreNone() {
    let whole = Array(Self.text.utf8)
    for length in 0..<whole.count { _ = ProcessMaps(Array(whole[..<length])) }
    for line in [
      "", "-", "1-", "1-2", "1-2 r", "2-1 r-xp 0 0 0 /x", "1-2 r-xp 0 fe:00 1 ",
      "ffffffffffffffffff-1 r-xp 0 0 0 /x", "1-2 r-xp zz fe:00 1 /x",
    ] {
      #expect(ProcessMaps(Array(line.utf8)).mappings.isEmpty, "\(line)")
    }
    #expect(ProcessMaps(Array("1-2 r-xp 0 fe:00 1 /".utf8)).mappings.map(\.name) == ["/"])
  }

  /// Of this process: a function of the C library, and words that are no addresses.
  @Test func aStackGetsItsNames() throws {
    let function = try #require(dlsym(nil, "getpid"))
    let address = UInt64(UInt(bitPattern: function))
    var header = mrt_header()
    header.pid = UInt32(getpid())
    var names = StackNames()
    let stack = StackRecord(
      header: header, what: MRT_STACK_USER.rawValue,
      addresses: [address, 0x7000_6e6f_6e61_2d6b, 8, address])
    for time in [1, 2, 2_000_000_000] as [UInt64] {
      let events = names.learn(stack, timeNs: time)
      #expect(events.count == (time == 1 ? 1 : 0))
    }
    names.beginPart()
    #expect(names.learn(stack, timeNs: 3_000_000_000).count == 1)
  }
}
