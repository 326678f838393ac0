// SPDX-License-Identifier: Apache-2.0

/// Text on its way to standard output, in pieces that are worth a write().
package struct ResultStream: TextOutputStream {
  private static let pieceSize = 64 * 1024
  private var piece = ""

  package init() {}

  package mutating func write(_ text: String) {
    piece += text
    if piece.utf8.count >= Self.pieceSize { flush() }
  }

  package mutating func flush() {
    Output.results(piece)
    piece.removeAll(keepingCapacity: true)
  }
}
