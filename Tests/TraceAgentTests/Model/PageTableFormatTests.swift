// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@Suite struct PageTableFormatTests {
  struct Kernel: CustomTestStringConvertible, Sendable {
    var release: String
    var zapped: Bool
    var mkwrite: Bool
    var exclusive: Bool
    var devicePrivate: Bool?
    var devmap: Int?
    var types: SwapTypes
    var testDescription: String { release }
  }

  static let kernels = [
    Kernel(
      release: "5.10.0-32-amd64", zapped: false, mkwrite: false, exclusive: false, devmap: 58,
      types: .debian510),
    Kernel(
      release: "5.10.223", zapped: false, mkwrite: false, exclusive: false, devicePrivate: true,
      devmap: 58, types: .v510WithDevicePrivate),
    Kernel(
      release: "5.15.0-100-generic", zapped: false, mkwrite: false, exclusive: true, devmap: 58,
      types: .v514WithDevicePrivate),
    Kernel(
      release: "6.1.0-56-amd64", zapped: false, mkwrite: false, exclusive: false, devmap: 58,
      types: .v61),
    Kernel(
      release: "6.1.192-fsdax-2021", zapped: false, mkwrite: false, exclusive: true, devmap: 58,
      types: .v61WithDevicePrivate),
    Kernel(
      release: "6.12.107-amd64", zapped: true, mkwrite: false, exclusive: false, devmap: 57,
      types: .v612),
    Kernel(
      release: "6.12.1", zapped: true, mkwrite: false, exclusive: true, devmap: 57,
      types: .v612WithDevicePrivate),
    Kernel(
      release: "6.16.12+deb14-amd64", zapped: true, mkwrite: true, exclusive: true, devmap: 57,
      types: .v7),
    Kernel(
      release: "6.18.15", zapped: true, mkwrite: true, exclusive: true, devmap: nil, types: .v7),
    Kernel(
      release: "7.3.4+deb13-amd64", zapped: true, mkwrite: true, exclusive: true, devmap: nil,
      types: .v7),
    Kernel(
      release: "7.3.4", zapped: true, mkwrite: true, exclusive: false, devmap: nil,
      types: .v7WithoutDevicePrivate),
  ]

  @Test(arguments: kernels)
  func chosenByFacts(_ kernel: Kernel) {
    let format = PageTableFormat.forKernel(
      PageTableFacts(
        hasCheckZappedPTE: kernel.zapped, hasInsertPageMkwrite: kernel.mkwrite,
        hasMakeDeviceExclusive: kernel.exclusive, devicePrivate: kernel.devicePrivate,
        release: KernelRelease(kernel.release), levels: 5))
    #expect(format.devmapBit == kernel.devmap)
    #expect(format.savedDirtyBit == (kernel.zapped ? 58 : nil))
    #expect(format.swapTypes == kernel.types)
    #expect(format.levels == 5)
  }

  @Test(arguments: [
    ("6.1.0-56-amd64", KernelRelease(6, 1, 0)), ("6.1.192-fsdax-2021", KernelRelease(6, 1, 192)),
    ("7.3.4+deb13-amd64", KernelRelease(7, 3, 4)), ("6.12-rc1", KernelRelease(6, 12)),
    ("5.10.", KernelRelease(5, 10)),
  ])
  func releases(_ text: String, _ expected: KernelRelease) {
    #expect(KernelRelease(text) == expected)
  }

  @Test(arguments: ["", "6", "next", "6.", ".1", "-6.1", "99999999999999999999.1"])
  func noReleases(_ text: String) {
    #expect(KernelRelease(text) == nil)
  }

  @Test func releasesAreOrderedByNumber() {
    #expect(KernelRelease(6, 9) < KernelRelease(6, 10))
    #expect(KernelRelease(5, 19, 3) < KernelRelease(6, 0))
    #expect(KernelRelease(5, 10, 67) > KernelRelease(5, 10, 9))
  }
}
