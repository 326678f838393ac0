// SPDX-License-Identifier: Apache-2.0

/// The numbers in `uname -r`.
///
/// Distributions backport, so this is a last resort where no symbol tells kernels apart. `patch` is
/// what stands third, which for Debian's "6.1.0-56-amd64" is no stable release.
package struct KernelRelease: Comparable, Sendable, CustomStringConvertible {
  package var major: Int
  package var minor: Int
  package var patch: Int

  package init(_ major: Int, _ minor: Int, _ patch: Int = 0) {
    self.major = major
    self.minor = minor
    self.patch = patch
  }

  /// nil unless the text begins with two numbers: "6.1.0-56-amd64", "7.3.4+deb13-amd64",
  /// "6.12-rc1".
  package init?(_ release: String) {
    var numbers: [Int] = []
    var rest = release.utf8[...]
    while numbers.count < 3 {
      let digits = rest.prefix { (48...57).contains($0) }
      guard let number = Int(String(decoding: digits, as: UTF8.self)) else { break }
      numbers.append(number)
      rest = rest.dropFirst(digits.count)
      guard rest.first == UInt8(ascii: ".") else { break }
      rest = rest.dropFirst()
    }
    guard numbers.count >= 2 else { return nil }
    self.init(numbers[0], numbers[1], numbers.count > 2 ? numbers[2] : 0)
  }

  package static func < (left: KernelRelease, right: KernelRelease) -> Bool {
    (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
  }

  package var description: String { "\(major).\(minor).\(patch)" }
}
