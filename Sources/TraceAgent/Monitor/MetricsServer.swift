// SPDX-License-Identifier: Apache-2.0

import CHTTP
import Glibc
import Model

/// The HTTP listener: serves what can be served at once, and never waits for a client.
package final class MetricsServer {
  private let server: OpaquePointer

  package init(address: String) throws(Errno) {
    var code: CInt = 0
    guard let server = chttp_open(address, &code) else { throw Errno(rawValue: code) }
    self.server = server
  }

  deinit { chttp_close(server) }

  /// Readable when a client has come.
  package var descriptor: CInt { chttp_descriptor(server) }
  package var port: Int { Int(chttp_port(server)) }
  package var connections: Int { Int(chttp_connections(server)) }
  /// A client is there: ``serve(_:)``.
  package var hasWork: Bool { chttp_has_work(server) != 0 }

  /// `text` is the page.
  package func serve(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) { chttp_poll(server, $0.baseAddress, $0.count) }
    }
  }
}
