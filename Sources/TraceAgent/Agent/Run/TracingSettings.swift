// SPDX-License-Identifier: Apache-2.0

import Kernel

/// What is traced and how: the settings that record and live have in common.
package struct TracingSettings: Sendable {
  package var subject: TraceSubject
  /// Functions, and families of hooks, that are left alone.
  package var unhooked: [String]
  /// Of the ring buffer, in KiB.
  package var ringSize: Int

  package init(subject: TraceSubject, unhooked: [String], ringSize: Int) {
    self.subject = subject
    self.unhooked = unhooked
    self.ringSize = ringSize
  }

  func tracer(
    _ filter: OperationFilter, detail: TracerSettings.Detail, statistics: Bool
  ) -> TracerSettings {
    let (pids, isCommand) = (subject.pids, !subject.command.isEmpty)
    var settings = TracerSettings(
      detail: detail, processes: pids.map { UInt32(bitPattern: $0) },
      filters: !subject.all && (!pids.isEmpty || isCommand),
      follow: !subject.all && (subject.follow || isCommand), statistics: statistics,
      without: Set(unhooked.compactMap(HookPlan.Family.init(rawValue:))), unhooked: Set(unhooked),
      ringSize: ringSize << 10)
    settings.filter = filter
    return settings
  }
}
