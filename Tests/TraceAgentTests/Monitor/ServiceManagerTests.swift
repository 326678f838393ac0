// SPDX-License-Identifier: Apache-2.0

import Glibc
import Monitor
import Testing

/// What sd_notify(3) says, at a real socket.
@Suite struct ServiceManagerTests {
  private func told(_ path: String) throws -> [String] {
    let receiver = try LocalReceiver(path)
    let service = ServiceManager { ["NOTIFY_SOCKET": path][$0] }
    service.ready("27 of 30 hooks attached")
    service.reloading(nowNs: 12_345_678)
    service.alive()
    service.stopping()
    return receiver.received()
  }

  private let expected = [
    "READY=1\nSTATUS=27 of 30 hooks attached", "RELOADING=1\nMONOTONIC_USEC=12345", "WATCHDOG=1",
    "STOPPING=1",
  ]

  @Test func statesAtASocketInTheFileSystem() throws {
    let place = try ScratchDirectory()
    #expect(try told(place("notify")) == expected)
  }

  @Test func statesAtAnAbstractSocket() throws {
    #expect(try told("@mrtrace-test-\(getpid())-notify") == expected)
  }

  @Test func nothingIsSentWhereNobodyListens() throws {
    ServiceManager { _ in nil }.ready("x")
    let place = try ScratchDirectory()
    ServiceManager { ["NOTIFY_SOCKET": place("missing")][$0] }.ready("x")
    // longer than an address can be
    let long = "/" + String(repeating: "x", count: 200)
    ServiceManager { ["NOTIFY_SOCKET": long][$0] }.ready("x")
  }

  @Test(
    arguments: [
      (["WATCHDOG_USEC": "30000000"], UInt64(30_000_000_000)),
      (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "\(getpid())"], 30_000_000_000),
      (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"], nil),
      (["WATCHDOG_USEC": "0"], nil), (["WATCHDOG_USEC": "soon"], nil),
      (["WATCHDOG_USEC": "18446744073709551615"], nil), ([:], nil),
    ] as [([String: String], UInt64?)])
  func watchdog(environment: [String: String], expected: UInt64?) {
    #expect(ServiceManager { environment[$0] }.watchdogNs == expected)
  }
}
