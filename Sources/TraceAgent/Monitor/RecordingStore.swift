// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model
import Recording

/// The monitor's directory: its recordings by name, the oldest gone when there are too many or they
/// are too large. What the monitor has not made is left alone.
package struct RecordingStore: Sendable {
  package struct Stored: Equatable, Sendable {
    package var name: String
    package var bytes: UInt64
  }

  package let path: String
  package private(set) var stored: [Stored] = []
  private static let prefix = "monitor-"

  package init(path: String) {
    self.path = path
    look()
  }

  package var bytes: UInt64 { stored.reduce(0) { $0 &+ $1.bytes } }

  /// "monitor-20261123-064500-mapping-missing-EFAULT": sorted by name is sorted by time. `utc` is
  /// seconds since 1970.
  package static func name(of kind: FailureKind?, utc: Int) -> String {
    var seconds = time_t(utc)
    var date = tm()
    gmtime_r(&seconds, &date)
    func digits(_ value: CInt, _ count: Int) -> String {
      let text = "\(value)"
      return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    let day = digits(date.tm_year + 1900, 4) + digits(date.tm_mon + 1, 2) + digits(date.tm_mday, 2)
    let clock = digits(date.tm_hour, 2) + digits(date.tm_min, 2) + digits(date.tm_sec, 2)
    guard let kind else { return "\(prefix)\(day)-\(clock)-wanted" }
    let errno = kind.errno.description.filter { $0 != " " }
    return "\(prefix)\(day)-\(clock)-\(kind.cause)-\(errno)"
  }

  /// Gives a recording that stands at `draft`, on the same file system, its name. Its path.
  package mutating func adopt(_ draft: String, as name: String) throws(Errno) -> String {
    for number in 1...1000 {
      let path = "\(path)/\(name)\(number > 1 ? "-\(number)" : "")"
      // A directory is not renamed over one that has something in it.
      guard access(path, F_OK) != 0 else { continue }
      guard rename(draft, path) == 0 else { throw Errno(rawValue: errno) }
      look()
      return path
    }
    throw .exist
  }

  /// Removes the oldest ones over `keep` in number or `maxTotal` in bytes. Their names.
  package mutating func prune(keep: Int, maxTotal: Int) -> [String] {
    var removed: [String] = []
    while let oldest = stored.first, stored.count > keep || bytes > UInt64(max(maxTotal, 0)) {
      stored.removeFirst()
      // a directory with something else in it stays
      RecordingPlace.remove("\(path)/\(oldest.name)")
      removed.append(oldest.name)
    }
    return removed
  }

  package mutating func look() {
    stored = DirectoryNames.ifReadable(path).filter { Self.isOurs($0) && has($0, "metadata") }
      .sorted().map {
        Stored(name: $0, bytes: size(of: $0))
      }
  }

  /// monitor-DATE-TIME-…
  static func isOurs(_ name: String) -> Bool {
    guard name.hasPrefix(prefix) else { return false }
    let parts = name.dropFirst(prefix.count).split(separator: "-", maxSplits: 2)
    return parts.count == 3 && [8, 6] == parts[..<2].map(\.count)
      && parts[..<2].allSatisfy { $0.allSatisfy { $0.isASCII && $0.isNumber } }
  }

  private func has(_ name: String, _ file: String) -> Bool {
    access("\(path)/\(name)/\(file)", F_OK) == 0
  }

  private func size(of name: String) -> UInt64 {
    DirectoryNames.ifReadable("\(path)/\(name)").reduce(0) { sum, file in
      var status = stat()
      guard lstat("\(path)/\(name)/\(file)", &status) == 0 else { return sum }
      return sum &+ UInt64(clamping: status.st_size)
    }
  }

  /// What a monitor that was killed has left of its work.
  package func removeDrafts(_ path: String) {
    for draft in DirectoryNames.ifReadable(path) { RecordingPlace.remove("\(path)/\(draft)") }
    _ = rmdir(path)
  }
}
