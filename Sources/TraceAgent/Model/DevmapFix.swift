// SPDX-License-Identifier: Apache-2.0

/// The fix of the fsdax bug of 2021, and the releases of kernel.org that have it.
///
/// Distributions take fixes earlier, and this one leaves no trace in a kernel's symbols.
package enum DevmapFix {
  package static let commit = "4b42fb213678"
  package static let subject =
    "mm/hmm: bypass devmap pte when all pfn requested flags are fulfilled"

  /// Stable releases that took it, each the first of its series; those of no other series before ``mainline`` have it.
  package static let stable = [
    KernelRelease(5, 10, 67), KernelRelease(5, 13, 19), KernelRelease(5, 14, 6),
  ]
  /// The first release that was made with it.
  static let mainline = KernelRelease(5, 15)

  /// "5.10.67", and so on to "5.15".
  package static let releases =
    stable.map(\.description) + ["\(mainline.major).\(mainline.minor)"]
  /// "5.15" first.
  package static let newestFirst = Array(releases.reversed())

  /// Whether a series of stable releases has it from some patch level on, always or never.
  package enum Series: Equatable, Sendable {
    case always, never
    case from(patch: Int)
    /// Older than on-demand paging by HMM, which came with 5.10.
    case older
  }

  package static func series(of release: KernelRelease) -> Series {
    let first = KernelRelease(release.major, release.minor)
    if first >= mainline { return .always }
    if let taken = stable.first(where: { ($0.major, $0.minor) == (first.major, first.minor) }) {
      return .from(patch: taken.patch)
    }
    return first < stable[0] ? .older : .never
  }
}

extension KernelRelease {
  /// Whether ``DevmapFix`` is in; nil where only the stable release tells, and `patch` is none (0, as in Debian's names).
  package var hasDevmapFix: Bool? {
    switch DevmapFix.series(of: self) {
    case .always: true
    case .never: false
    case .older: nil
    case .from(let fixed): patch == 0 ? nil : patch >= fixed
    }
  }
}
