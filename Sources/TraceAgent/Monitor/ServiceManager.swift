// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What systemd wants to hear of a Type=notify service (sd_notify(3)); nothing where it has not started us.
package struct ServiceManager: Sendable {
  private let socket: String?
  /// How often it wants a sign of life, ns; nil: not at all.
  package let watchdogNs: UInt64?

  package init(environment: (String) -> String?) {
    socket = environment("NOTIFY_SOCKET")
    let isForUs = environment("WATCHDOG_PID").map { $0 == "\(getpid())" } ?? true
    watchdogNs =
      isForUs
      ? environment("WATCHDOG_USEC").flatMap { UInt64($0) }.flatMap {
        $0 > 0 && $0 < .max / 1000 ? $0 * 1000 : nil
      } : nil
  }

  package func ready(_ status: String) { tell("READY=1\nSTATUS=\(status)") }
  package func reloading(nowNs: UInt64) {
    tell("RELOADING=1\nMONOTONIC_USEC=\(nowNs / 1000)")
  }
  package func stopping() { tell("STOPPING=1") }
  package func alive() { tell("WATCHDOG=1") }

  private func tell(_ text: String) {
    guard let socket else { return }
    _ = LocalDatagram.send(Array(text.utf8), to: socket)
  }
}
