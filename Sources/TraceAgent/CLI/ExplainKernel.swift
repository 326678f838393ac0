// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Kernel
import Model
import Terminal

/// A kernel whose page-table entries `explain` reads: named by its release, or the running one.
struct ExplainKernel {
  let name: String
  let release: KernelRelease
  private var hasDevmapFix: Bool?
  /// Other than Debian's.
  private var devicePrivate: Bool?
  /// Of the running kernel, found by its symbols.
  private var format: PageTableFormat?
  private var notes: [String] = []

  /// The newest kernel whose source was read.
  static let newest = KernelRelease(7, 3)
  static let oldest = KernelRelease(5, 4)

  init?(_ name: String) {
    self.name = name
    switch name {
    case "newest":
      release = Self.newest
      hasDevmapFix = true
    case "fsdax-2021":
      release = KernelRelease(6, 1)
      devicePrivate = true
      hasDevmapFix = false
      notes = ["fsdax-2021 is the lab's 6.1 without the fix of 2021"]
    default:
      guard let release = KernelRelease(name), release >= Self.oldest else { return nil }
      // A Debian name ("5.10.0-32-amd64") has an ABI number third, no stable release.
      self.release = release
      hasDevmapFix = release.hasDevmapFix
      if (release.major, release.minor) > (Self.newest.major, Self.newest.minor) {
        notes = [
          "\(name) is newer than \(Self.newest.major).\(Self.newest.minor), the newest known: read as that"
        ]
      }
    }
  }

  private init(facts: KernelFacts, release: KernelRelease) {
    name = facts.release
    self.release = release
    format = facts.traits.pageTables
    hasDevmapFix = release.hasDevmapFix
  }

  /// The running kernel where its entries are of this architecture, else the newest one.
  static func running(_ architecture: PageTableFormat.Architecture) -> ExplainKernel {
    if architecture == .x86_64, let facts = try? KernelFacts.read(),
      let release = KernelRelease(facts.release), release >= oldest
    {
      return ExplainKernel(facts: facts, release: release)
    }
    return ExplainKernel(newestAs: "\(newest.major).\(newest.minor)")
  }

  private init(newestAs name: String) {
    self.name = name
    release = Self.newest
    hasDevmapFix = true
  }

  func explain(
    _ raw: UInt64, _ level: PageTableLevel, _ architecture: PageTableFormat.Architecture,
    devicePrivate asked: Bool?
  ) -> ExplainedEntry {
    var notes = notes
    let hasPrivate = asked ?? devicePrivate
    var layout: PageTableFormat
    if let format, asked == nil {
      layout = format
    } else {
      layout = .forRelease(
        release, architecture: architecture, devicePrivate: hasPrivate, levels: format?.levels ?? 4)
    }
    let explained = ExplainedEntry(
      kernel: name, release: release, format: layout, hasDevmapFix: hasDevmapFix, raw: raw,
      level: level, notes: [])
    if explained.entry.usesSwapTypes {
      let numbered = hasPrivate ?? PageTableFormat.debianHasDevicePrivate(release)
      if format == nil || asked != nil {
        notes.append(
          "\(name) \(numbered ? "with" : "without") CONFIG_DEVICE_PRIVATE\(hasPrivate == nil ? ", as Debian builds it" : ""): it moves the numbers of the types"
        )
      }
      if explained.entry.pfn != nil, architecture == .x86_64, layout.levels == 4 {
        notes.append("four page-table levels: frame numbers of 34 bits in a swap-type entry")
      }
    }
    if architecture == .arm64 {
      notes.append(
        "arm64 from the headers of 5.10, 6.1, 6.12 and 7.3, never run: pages of 4 KiB, physical addresses of 48 bits"
      )
    }
    var result = explained
    result.notes = notes
    return result
  }

  /// A raw entry as people have it: hexadecimal, with or without 0x.
  static func value(_ text: String) -> UInt64? {
    var digits = text.lowercased()
    if digits.hasPrefix("0x") { digits.removeFirst(2) }
    guard !digits.isEmpty, digits.allSatisfy(\.isHexDigit) else { return nil }
    return UInt64(digits, radix: 16)
  }
}

extension DecodedEntry {
  /// Its meaning hangs on the numbering of the swap types.
  fileprivate var usesSwapTypes: Bool {
    switch kind {
    case .none, .present, .table, .protnone: false
    case .bad: !flags.contains("PRESENT") && !flags.contains("VALID")
    default: true
    }
  }
}
