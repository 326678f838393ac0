// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kernel

@Suite struct DAXMountTests {
  private func parse(_ text: String, dax: Bool? = nil) -> [DAXMount] {
    DAXMount.parse(text) { _ in dax }
  }

  @Test func alwaysOnADeviceThatCan() {
    let mounts = parse("/dev/pmem0 /mnt/pmem ext4 rw,relatime,dax=always 0 0\n", dax: true)
    #expect(
      mounts == [
        DAXMount(
          device: "/dev/pmem0", mountPoint: "/mnt/pmem", filesystem: "ext4", option: "dax=always",
          dax: .yes, deviceHasDAX: true)
      ])
  }

  @Test func alwaysOnADeviceThatCannot() {
    #expect(parse("/dev/sda1 /m ext4 rw,dax=always 0 0", dax: false).first?.dax == .no)
  }

  @Test func withoutOptionEachFileDecides() {
    #expect(parse("/dev/pmem0 /m xfs rw 0 0", dax: true).first?.dax == .perFile)
    #expect(parse("/dev/pmem0 /m btrfs rw 0 0", dax: true).first?.dax == .no)
    #expect(parse("/dev/pmem0 /m xfs rw,dax=inode 0 0", dax: true).first?.dax == .perFile)
    #expect(parse("/dev/pmem0 /m xfs rw,dax=never 0 0", dax: true).first?.dax == .no)
  }

  @Test func ordinaryMountsAreLeftOut() {
    #expect(
      parse("/dev/sda1 / ext4 rw 0 0\nproc /proc proc rw 0 0\nshort line", dax: false).isEmpty)
  }

  @Test func escapesInNames() {
    #expect(
      parse("/dev/pmem0 /mnt/my\\040pool ext4 dax 0 0", dax: true).first?.mountPoint
        == "/mnt/my pool")
  }
}
