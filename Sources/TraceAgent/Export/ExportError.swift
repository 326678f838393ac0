// SPDX-License-Identifier: Apache-2.0

import Glibc
import Recording

/// Why a recording cannot be converted.
package enum ExportError: Error, Equatable, Sendable {
  case recording(RecordingError)
  /// The file is there already, and was not to be overwritten.
  case exists(path: String)
  /// The file would be one of the recording's.
  case insideRecording(path: String)
  case cannotCreate(path: String, errno: Int32)
  case cannotWrite(path: String, errno: Int32)
  /// Who read the pipe went away: nobody is left to be told.
  case readerGone
  /// What libsqlite3 said.
  case database(path: String, message: String)

  /// One sentence for a person.
  package var sentence: String {
    switch self {
    case .recording(let error): error.sentence
    case .exists(let path): "\(path) exists already; --force overwrites it."
    case .insideRecording(let path):
      "\(path) lies in the recording, to which nothing is added: give another place with -o."
    case .cannotCreate(let path, let errno): "Cannot create \(path): \(Self.text(of: errno))."
    case .cannotWrite(let path, let errno): "Cannot write \(path): \(Self.text(of: errno))."
    case .readerGone: "Nobody reads the output."
    case .database(let path, let message): "Cannot write \(path): \(message)."
    }
  }

  private static func text(of errno: Int32) -> String {
    guard let text = strerror(errno) else { return "error \(errno)" }
    return String(cString: text)
  }
}
