// SPDX-License-Identifier: Apache-2.0

/// One numbering of non-swap "swap" types (`enum` in include/linux/swap.h).
package struct SwapTypes: Equatable, Sendable {
  package var maxSwapFiles: UInt8
  package var hwpoison: UInt8
  package var migrationRead: UInt8
  package var migrationReadExclusive: UInt8?
  package var migrationWrite: UInt8
  package var deviceWrite: UInt8?
  package var deviceRead: UInt8?
  /// Device-exclusive entries: one or two types.
  package var deviceExclusive: [UInt8]
  package var pteMarker: UInt8?
  package var swapinError: UInt8?

  package init(
    maxSwapFiles: UInt8, hwpoison: UInt8, migrationRead: UInt8, migrationReadExclusive: UInt8?,
    migrationWrite: UInt8, deviceWrite: UInt8?, deviceRead: UInt8?, deviceExclusive: [UInt8],
    pteMarker: UInt8?, swapinError: UInt8?
  ) {
    self.maxSwapFiles = maxSwapFiles
    self.hwpoison = hwpoison
    self.migrationRead = migrationRead
    self.migrationReadExclusive = migrationReadExclusive
    self.migrationWrite = migrationWrite
    self.deviceWrite = deviceWrite
    self.deviceRead = deviceRead
    self.deviceExclusive = deviceExclusive
    self.pteMarker = pteMarker
    self.swapinError = swapinError
  }
}

extension SwapTypes {
  /// What a non-present entry of swap type `type` is.
  func kind(type: UInt8, offset: UInt64) -> DecodedEntry.Kind {
    switch type {
    case ..<maxSwapFiles: .swap(type: type)
    case hwpoison: .hwpoison
    case migrationRead: .migrationRead
    case migrationReadExclusive: .migrationReadExclusive
    case migrationWrite: .migrationWrite
    case deviceRead: .devicePrivateRead
    case deviceWrite: .devicePrivateWrite
    case pteMarker: .marker(PTEMarker(rawValue: offset))
    case swapinError: .swapinError
    default: deviceExclusive.contains(type) ? .deviceExclusive : .bad
    }
  }
}
