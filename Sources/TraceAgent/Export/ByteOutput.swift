// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Bytes on their way to a descriptor, collected to pieces of 64 KiB.
package final class ByteOutput {
  private static let pieceSize = 64 * 1024

  private let path: String
  private let descriptor: CInt
  private(set) var bytes: [UInt8] = []

  /// `path` is for the error's sentence.
  package init(path: String, descriptor: CInt) {
    self.path = path
    self.descriptor = descriptor
    bytes.reserveCapacity(2 * Self.pieceSize)
  }

  package init(to file: borrowing ExportFile) {
    path = file.path
    descriptor = file.descriptor
    bytes.reserveCapacity(2 * Self.pieceSize)
  }

  func append(_ more: some Collection<UInt8>) { bytes.append(contentsOf: more) }
  func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
  func append(_ byte: UInt8) { bytes.append(byte) }

  /// A place to stop: writes what has been collected when that is enough.
  func flushIfFull() throws(ExportError) {
    if bytes.count >= Self.pieceSize { try flush() }
  }

  func flush() throws(ExportError) {
    let failure: CInt = bytes.withUnsafeBytes { bytes in
      var rest = bytes
      while let base = rest.baseAddress, !rest.isEmpty {
        let written = write(descriptor, base, rest.count)
        if written > 0 {
          rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        } else if written == 0 || errno != EINTR {
          return written == 0 ? EIO : errno
        }
      }
      return 0
    }
    bytes.removeAll(keepingCapacity: true)
    if failure == EPIPE { throw .readerGone }
    if failure != 0 { throw .cannotWrite(path: path, errno: failure) }
  }
}
