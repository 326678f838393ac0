// SPDX-License-Identifier: Apache-2.0

/// The numberings of include/linux/swap.h, with CONFIG_MIGRATION and CONFIG_MEMORY_FAILURE on.
///
/// Types are given out from 31 downwards, so every new one and every option that is off moves the
/// others.
extension SwapTypes {
  /// 5.10 as Debian builds it, and others before 5.19 without CONFIG_DEVICE_PRIVATE.
  package static let debian510 = SwapTypes(
    maxSwapFiles: 29, hwpoison: 29, migrationRead: 30, migrationReadExclusive: nil,
    migrationWrite: 31, deviceWrite: nil, deviceRead: nil, deviceExclusive: [], pteMarker: nil,
    swapinError: nil)

  package static let v510WithDevicePrivate = SwapTypes(
    maxSwapFiles: 27, hwpoison: 27, migrationRead: 28, migrationReadExclusive: nil,
    migrationWrite: 29, deviceWrite: 30, deviceRead: 31, deviceExclusive: [], pteMarker: nil,
    swapinError: nil)

  /// 5.14 to 5.18: device-exclusive entries, write and read, came above device-private ones.
  package static let v514WithDevicePrivate = SwapTypes(
    maxSwapFiles: 25, hwpoison: 25, migrationRead: 26, migrationReadExclusive: nil,
    migrationWrite: 27, deviceWrite: 28, deviceRead: 29, deviceExclusive: [30, 31], pteMarker: nil,
    swapinError: nil)

  /// 5.19 to 6.1.
  package static let v61 = SwapTypes(
    maxSwapFiles: 26, hwpoison: 26, migrationRead: 27, migrationReadExclusive: 28,
    migrationWrite: 29, deviceWrite: nil, deviceRead: nil, deviceExclusive: [], pteMarker: 30,
    swapinError: 31)

  package static let v61WithDevicePrivate = SwapTypes(
    maxSwapFiles: 22, hwpoison: 22, migrationRead: 23, migrationReadExclusive: 24,
    migrationWrite: 25, deviceWrite: 26, deviceRead: 27, deviceExclusive: [28, 29], pteMarker: 30,
    swapinError: 31)

  /// 5.19 to 6.1 without CONFIG_PTE_MARKER, which only userfaultfd's write protection selects: arm64.
  package static let v61WithoutMarkers = SwapTypes(
    maxSwapFiles: 27, hwpoison: 27, migrationRead: 28, migrationReadExclusive: 29,
    migrationWrite: 30, deviceWrite: nil, deviceRead: nil, deviceExclusive: [], pteMarker: nil,
    swapinError: 31)

  package static let v61WithoutMarkersWithDevicePrivate = SwapTypes(
    maxSwapFiles: 23, hwpoison: 23, migrationRead: 24, migrationReadExclusive: 25,
    migrationWrite: 26, deviceWrite: 27, deviceRead: 28, deviceExclusive: [29, 30], pteMarker: nil,
    swapinError: 31)

  /// 6.2 to 6.14: a swap-in error became a marker.
  package static let v612 = SwapTypes(
    maxSwapFiles: 27, hwpoison: 27, migrationRead: 28, migrationReadExclusive: 29,
    migrationWrite: 30, deviceWrite: nil, deviceRead: nil, deviceExclusive: [], pteMarker: 31,
    swapinError: nil)

  package static let v612WithDevicePrivate = SwapTypes(
    maxSwapFiles: 23, hwpoison: 23, migrationRead: 24, migrationReadExclusive: 25,
    migrationWrite: 26, deviceWrite: 27, deviceRead: 28, deviceExclusive: [29, 30], pteMarker: 31,
    swapinError: nil)

  /// 6.15 and later: one device-exclusive type.
  package static let v7 = SwapTypes(
    maxSwapFiles: 24, hwpoison: 24, migrationRead: 25, migrationReadExclusive: 26,
    migrationWrite: 27, deviceWrite: 28, deviceRead: 29, deviceExclusive: [30], pteMarker: 31,
    swapinError: nil)

  package static let v7WithoutDevicePrivate = SwapTypes(
    maxSwapFiles: 27, hwpoison: 27, migrationRead: 28, migrationReadExclusive: 29,
    migrationWrite: 30, deviceWrite: nil, deviceRead: nil, deviceExclusive: [], pteMarker: 31,
    swapinError: nil)
}
