// SPDX-License-Identifier: Apache-2.0

import Glibc
import Monitor
import Testing

/// Real sockets: what a client of the listener gets.
@Suite(.serialized) struct MetricsServerTests {
  private func connect(_ port: Int) -> CInt {
    let client = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    _ = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    return client
  }

  /// A server at a port that was free a moment ago.
  private func start() throws -> MetricsServer {
    let probe = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        #expect(bind(probe, $0, length) == 0 && getsockname(probe, $0, &length) == 0)
      }
    }
    close(probe)
    return try MetricsServer(address: "127.0.0.1:\(in_port_t(bigEndian: address.sin_port))")
  }

  private func send(_ text: String, to client: CInt) {
    let bytes = Array(text.utf8)
    _ = Glibc.send(client, bytes, bytes.count, CInt(MSG_NOSIGNAL))
  }

  /// What has come by now; ended: the server has closed the connection.
  private func received(_ client: CInt) -> (text: String, ended: Bool) {
    var all: [UInt8] = []
    var bytes = [UInt8](repeating: 0, count: 65536)
    while true {
      let n = read(client, &bytes, bytes.count)
      guard n > 0 else { return (String(decoding: all, as: UTF8.self), n == 0) }
      all += bytes[..<n]
    }
  }

  private func answer(_ server: borrowing MetricsServer, _ request: String) -> String {
    let client = connect(server.port)
    defer { close(client) }
    send(request, to: client)
    var all = ""
    for _ in 0..<500 {
      server.serve("x 1\n")
      let (text, ended) = received(client)
      all += text
      if ended { return all }
      usleep(2000)
    }
    return all + "(not ended)"
  }

  @Test func servesThePage() throws {
    let server = try start()
    let page = answer(server, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(page.hasPrefix("HTTP/1.1 200 OK\r\n"))
    #expect(page.contains("text/plain; version=0.0.4"))
    #expect(page.hasSuffix("\r\n\r\nx 1\n"))
    #expect(answer(server, "GET /other HTTP/1.1\r\n\r\n").hasPrefix("HTTP/1.1 404"))
    #expect(
      !answer(server, "POST /metrics HTTP/1.1\r\nContent-Length: 1\r\n\r\nx").contains(" 200 "))
    #expect(!answer(server, "\u{1}\u{2}\r\n\r\n").contains(" 200 "))
    #expect(server.connections == 0)
  }

  @Test func silentClientsKeepNobodyWaiting() throws {
    let server = try start()
    var silent: [CInt] = []
    defer { for client in silent { close(client) } }
    for _ in 0..<60 {
      silent.append(connect(server.port))
      send("GET /metr", to: silent[silent.count - 1])
      server.serve("x 1\n")
    }
    #expect(server.connections <= 17)
    #expect(answer(server, "GET /metrics HTTP/1.1\r\n\r\n").hasSuffix("x 1\n"))
    for _ in 0..<10 { server.serve("x 1\n") }
    // the first ones were sent away
    #expect(received(silent[0]).ended)
    #expect(!received(silent[59]).ended)
  }

  @Test func anAddressInUseIsAnError() throws {
    let server = try start()
    #expect(throws: (any Error).self) { try MetricsServer(address: "127.0.0.1:\(server.port)") }
  }
}
