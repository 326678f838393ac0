// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A reader that is not ours.
enum JSONReader {
  struct NoObject: Error {}

  static func object(_ line: String) throws -> [String: Any] {
    guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    else { throw NoObject() }
    return object
  }
}
