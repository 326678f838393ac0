// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Bytes on their way to a descriptor, collected to pieces of 64 KiB.
package final class ByteOutput {
  private static let pieceSize = 64 * 1024

  private let path: String
  private let descriptor: CInt
  /// Behind a pointer: a class's own variables are checked for exclusive access, at each of these many calls.
  private struct Piece {
    var bytes: UnsafeMutablePointer<UInt8>
    var capacity: Int
    var count = 0
  }
  private let piece: UnsafeMutablePointer<Piece>

  /// `path` is for the error's sentence.
  package init(path: String, descriptor: CInt) {
    self.path = path
    self.descriptor = descriptor
    piece = ByteOutput.newPiece()
  }

  package init(to file: borrowing ExportFile) {
    path = file.path
    descriptor = file.descriptor
    piece = ByteOutput.newPiece()
  }

  deinit {
    piece.pointee.bytes.deallocate()
    piece.deallocate()
  }

  private static func newPiece() -> UnsafeMutablePointer<Piece> {
    let capacity = 2 * pieceSize
    let piece = UnsafeMutablePointer<Piece>.allocate(capacity: 1)
    piece.initialize(to: Piece(bytes: .allocate(capacity: capacity), capacity: capacity))
    return piece
  }

  func append(_ more: UnsafeBufferPointer<UInt8>) {
    guard let base = more.baseAddress else { return }
    room(more.count).update(from: base, count: more.count)
    piece.pointee.count += more.count
  }
  func append(_ more: [UInt8]) { more.withUnsafeBufferPointer(append) }
  func append(_ more: some Sequence<UInt8>) {
    if more.withContiguousStorageIfAvailable(append) == nil { for byte in more { append(byte) } }
  }
  func append(_ text: StaticString) { text.withUTF8Buffer(append) }
  func append(text: String) {
    var text = text
    text.withUTF8(append)
  }
  func append(_ byte: UInt8) {
    room(1).pointee = byte
    piece.pointee.count += 1
  }

  /// In decimal.
  func append(decimal number: UInt64) {
    let room = room(20)
    var rest = number
    var length = 0
    repeat {
      room[length] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
      length += 1
    } while rest > 0
    var digits = UnsafeMutableBufferPointer(start: room, count: length)
    digits.reverse()
    piece.pointee.count += length
  }

  func append(decimal number: Int64) {
    if number < 0 { append(UInt8(ascii: "-")) }
    append(decimal: number.magnitude)
  }

  /// In hexadecimal, without 0x and without zeros in front.
  func append(hex number: UInt64) {
    let length = max(1, (64 - number.leadingZeroBitCount + 3) / 4)
    let room = room(length)
    for place in 0..<length {
      let digit = UInt8(truncatingIfNeeded: number >> UInt64(4 * (length - 1 - place)) & 0xf)
      room[place] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
    }
    piece.pointee.count += length
  }

  /// Where the next `more` bytes go.
  private func room(_ more: Int) -> UnsafeMutablePointer<UInt8> {
    if piece.pointee.capacity - piece.pointee.count < more { grow(more) }
    return piece.pointee.bytes + piece.pointee.count
  }

  private func grow(_ more: Int) {
    let old = piece.pointee
    let capacity = max(2 * old.capacity, old.count + more)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    larger.update(from: old.bytes, count: old.count)
    old.bytes.deallocate()
    piece.pointee = Piece(bytes: larger, capacity: capacity, count: old.count)
  }

  /// A place to stop: writes what has been collected when that is enough.
  func flushIfFull() throws(ExportError) {
    if piece.pointee.count >= Self.pieceSize { try flush() }
  }

  func flush() throws(ExportError) {
    let (bytes, count) = (piece.pointee.bytes, piece.pointee.count)
    var done = 0
    var failure: CInt = 0
    while done < count, failure == 0 {
      let written = write(descriptor, bytes + done, count - done)
      if written > 0 {
        done += written
      } else if written == 0 || errno != EINTR {
        failure = written == 0 ? EIO : errno
      }
    }
    piece.pointee.count = 0
    if failure == EPIPE { throw .readerGone }
    if failure != 0 { throw .cannotWrite(path: path, errno: failure) }
  }
}
