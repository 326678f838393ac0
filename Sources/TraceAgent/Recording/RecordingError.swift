// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Why a recording cannot be written or read.
package enum RecordingError: Error, Equatable, Sendable {
  /// The directory to be created is there already.
  case exists(path: String)
  /// A system call on the way to a new recording failed with this errno.
  case cannotCreate(path: String, errno: Int32)
  case cannotWrite(path: String, errno: Int32)
  case cannotRead(path: String, errno: Int32)
  /// `append` or `flush` after `close`.
  case closed(path: String)
  /// A path that holds no recording of any kind.
  case notARecording(path: String)
  /// A directory that is none, in which these are recordings.
  case holdsRecordings(path: String, names: [String])
  case metadata(path: String, MetadataError)

  /// The directory that is being recorded into is not there any more.
  case gone(path: String)

  /// No room is left on the disk, or for this user.
  var isFullDisk: Bool {
    switch self {
    case .cannotCreate(_, ENOSPC), .cannotCreate(_, EDQUOT), .cannotWrite(_, ENOSPC),
      .cannotWrite(_, EDQUOT):
      true
    default: false
    }
  }

  /// One sentence for a person.
  package var sentence: String {
    switch self {
    case .exists(let path): "\(path) exists already, and a recording is never overwritten."
    case .cannotCreate(let path, let errno): "Cannot create \(path): \(Self.text(of: errno))."
    case .cannotWrite(let path, let errno): "Cannot write \(path): \(Self.text(of: errno))."
    case .cannotRead(let path, let errno): "Cannot read \(path): \(Self.text(of: errno))."
    case .gone(let path):
      "\(path) was removed or moved away while it was being recorded into: record again into a "
        + "directory that stays."
    case .closed(let path): "The recording \(path) is closed."
    case .notARecording(let path):
      "\(path) is not a recording: a recording is a directory with a file named metadata."
    case .holdsRecordings(let path, let names):
      names.count == 1
        ? "\(path) is not a recording, but \(path)/\(names[0]) is: give that."
        : "\(path) is not a recording, but holds \(names.count): give those that you mean, for "
          + "example \(path)/\(names[0]) \(path)/\(names[1])."
    case .metadata(let path, let error): error.sentence(of: path)
    }
  }

  private static func text(of errno: Int32) -> String {
    guard let text = strerror(errno) else { return "error \(errno)" }
    return String(cString: text)
  }
}

/// Why a `metadata` file is none of ours.
package enum MetadataError: Error, Equatable, Sendable {
  /// Not CTF 1.8 text at all.
  case notCTF
  /// CTF, by another tracer.
  case foreign
  /// Written by a later version whose records this one cannot read.
  case newerMajor(Int)
  /// The text ends early or breaks the syntax; `what` was being read.
  case malformed(what: String)
  /// Its checksum is not that of its text.
  case checksum
  case missing(key: String)
  case invalid(key: String)

  fileprivate func sentence(of path: String) -> String {
    switch self {
    case .notCTF: "\(path) is not a recording: its metadata is not the text of a CTF 1.8 trace."
    case .foreign: "\(path) is a CTF trace, but not a recording of mrtrace."
    case .newerMajor(let major):
      "\(path) has recording format \(major), which needs a newer mrtrace: this one reads up to "
        + "\(RecordingEnvironment.formatMajor)."
    case .malformed(let what): "The metadata of \(path) is damaged: \(what)."
    case .checksum:
      "The metadata of \(path) is damaged: its checksum is not that of its text, so nothing in the "
        + "recording can be relied on."
    case .missing(let key): "The metadata of \(path) is damaged: it does not tell \(key)."
    case .invalid(let key): "The metadata of \(path) is damaged: \(key) has no valid value."
    }
  }
}
