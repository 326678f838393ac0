// SPDX-License-Identifier: Apache-2.0

import Live
import Model

/// Everything that the monitor exports at one moment; docs/monitor.md has the same table.
package struct MonitorMetrics: Sendable {
  package struct Hook: Sendable {
    package var function: FunctionName
    /// "vmlinux" for the kernel itself.
    package var module: String
    package var isAttached: Bool
    package init(function: FunctionName, module: String, isAttached: Bool) {
      self.function = function
      self.module = module
      self.isAttached = isAttached
    }
  }

  package struct Module: Sendable {
    package var name: String
    package var attachments: UInt64
    package var unwatchedNs: UInt64
    package init(name: String, attachments: UInt64, unwatchedNs: UInt64) {
      self.name = name
      self.attachments = attachments
      self.unwatchedNs = unwatchedNs
    }
  }

  /// What the monitor itself did and takes.
  package struct Own: Sendable {
    package var version = ""
    package var kernel = ""
    package var startWallNs: UInt64 = 0
    package var recordingsWritten: UInt64 = 0
    package var recordingsFailed: UInt64 = 0
    package var recordingsKnown: UInt64 = 0
    package var recordingsLimited: UInt64 = 0
    package var recordingsStored: UInt64 = 0
    package var recordingsBytes: UInt64 = 0
    package var overwritten: UInt64 = 0
    package var linesWritten: UInt64 = 0
    package var linesLeftOut: UInt64 = 0
    package var reloads: UInt64 = 0
    package var reloadsFailed: UInt64 = 0
    package var cpuNs: UInt64 = 0
    package var residentBytes: UInt64 = 0
    package var openDescriptors: UInt64 = 0
    package init() {}
  }

  package var counters = LiveCounters()
  package var failures = FailureCounts()
  package struct Device: Sendable {
    package var name: String
    package var driver: String
    package var isWatched: Bool
    package init(name: String, driver: String, isWatched: Bool) {
      self.name = name
      self.driver = driver
      self.isWatched = isWatched
    }
  }

  package var hooks: [Hook] = []
  /// Would a failed operation of this kind be seen?
  package var seen: [Operation.Kind: Bool] = [:]
  package var devices: [Device] = []
  package var modules: [Module] = []
  package var own = Own()

  package init() {}

  package var text: String {
    var text = PrometheusText()
    addOperations(to: &text)
    addFailures(to: &text)
    addMemory(to: &text)
    addSight(to: &text)
    addOwn(to: &text)
    return text.text
  }

  private func addOperations(to text: inout PrometheusText) {
    text.begin(
      "mrtrace_operations_total", .counter, "RDMA memory operations that ended, failed ones too.")
    for kind in Operation.Kind.allCases {
      let one = counters.operations[kind] ?? .init()
      text.sample([("operation", kind.rawValue)], one.succeeded.count &+ one.failed.count)
    }
    text.begin(
      "mrtrace_operation_failures_total", .counter,
      "RDMA memory operations that failed, as the kernel counts them.")
    for kind in Operation.Kind.allCases {
      text.sample([("operation", kind.rawValue)], counters.operations[kind]?.failed.count ?? 0)
    }
    text.begin(
      "mrtrace_operation_duration_seconds", .histogram, "How long RDMA memory operations took.")
    for kind in Operation.Kind.allCases {
      let one = counters.operations[kind] ?? .init()
      text.histogram([("operation", kind.rawValue), ("result", "success")], one.succeeded)
      text.histogram([("operation", kind.rawValue), ("result", "failure")], one.failed)
    }
  }

  private func addFailures(to text: inout PrometheusText) {
    text.begin(
      "mrtrace_failures_total", .counter, "Failed operations that have been explained, by cause.")
    for (key, count) in failures.counts.sorted(by: { $0.key < $1.key }) {
      text.sample(
        [
          ("operation", key.operation), ("errno", key.errno), ("cause", key.cause),
          ("device", key.device),
        ], count)
    }
    text.begin(
      "mrtrace_failures_mended_total", .counter,
      "Failed operations that the program itself mended at once by another way; mrtrace_failures_total has them too."
    )
    for kind in Operation.Kind.allCases {
      text.sample([("operation", kind.rawValue)], failures.mended[kind] ?? 0)
    }
  }

  private func addMemory(to text: inout PrometheusText) {
    if let invalidations = counters.invalidations {
      text.begin(
        "mrtrace_invalidation_duration_seconds", .histogram,
        "How long drivers took to give pages back whose mapping changed.")
      text.histogram([], invalidations)
    }
    text.begin(
      "mrtrace_pages_walked_total", .counter,
      "Pages walked for on-demand memory, by the end of the walk; successful walks are sampled and weighted."
    )
    for (outcome, name) in [(PageCount.Outcome.accepted, "success"), (.inFailedWalk, "failure")] {
      let pages = counters.pages.filter { $0.outcome == outcome }
      text.sample([("result", name)], pages.reduce(0) { $0 &+ $1.pages })
    }
  }

  private func addSight(to text: inout PrometheusText) {
    text.begin(
      "mrtrace_hook_attached", .gauge,
      "1: the kernel function is watched. 0: it would be, but is not at the moment.")
    for hook in hooks {
      text.sample([("function", hook.function), ("module", hook.module)], hook.isAttached ? 1 : 0)
    }
    text.begin(
      "mrtrace_operation_seen", .gauge,
      "1: operations of this kind are seen, or will be when RDMA is loaded. 0: not all are, so that none failed says nothing."
    )
    for kind in Operation.Kind.allCases {
      text.sample([("operation", kind.rawValue)], seen[kind] ?? true ? 1 : 0)
    }
    text.begin(
      "mrtrace_device_watched", .gauge,
      "1: the functions of the device's driver are watched. 0: not all are, and what it refuses itself has no reason."
    )
    for device in devices {
      text.sample([("device", device.name), ("driver", device.driver)], device.isWatched ? 1 : 0)
    }
    text.begin(
      "mrtrace_hooks_missing", .gauge,
      "Functions that this kernel does not let watch, and that matter.")
    text.sample([], UInt64(counters.gaps.count))
    text.begin(
      "mrtrace_lost_total", .counter,
      "What was not seen, by kernel function: ring_full, missed, missed_returns, missed_entries, unstarted, untracked."
    )
    for loss in counters.losses {
      text.sample([("function", loss.function), ("what", loss.what)], loss.count)
    }
    text.begin(
      "mrtrace_module_attachments_total", .counter,
      "Times that a kernel module came and its functions were hooked.")
    for module in modules { text.sample([("module", module.name)], module.attachments) }
    text.begin(
      "mrtrace_module_unwatched_seconds_total", .counter,
      "Time between the last look at a module's hooks before it was unloaded, and when they were there again."
    )
    for module in modules { text.sample([("module", module.name)], ns: module.unwatchedNs) }
  }

  private func addOwn(to text: inout PrometheusText) {
    func one(_ name: String, _ kind: PrometheusText.Kind, _ help: String, _ value: UInt64) {
      text.begin(name, kind, help)
      text.sample([], value)
    }
    one(
      "mrtrace_recordings_written_total", .counter,
      "Recordings written because an operation failed in a new way.", own.recordingsWritten)
    text.begin(
      "mrtrace_recordings_omitted_total", .counter,
      "Failures without a recording of their own, by reason: known kind, limit of recordings an hour."
    )
    text.sample([("reason", "known")], own.recordingsKnown)
    text.sample([("reason", "limit")], own.recordingsLimited)
    one(
      "mrtrace_recording_errors_total", .counter, "Recordings that could not be written.",
      own.recordingsFailed)
    one(
      "mrtrace_recordings_stored", .gauge, "Recordings of the monitor in its directory.",
      own.recordingsStored)
    one("mrtrace_recordings_stored_bytes", .gauge, "Their size.", own.recordingsBytes)
    one(
      "mrtrace_flight_recorder_overwritten_total", .counter,
      "Records that were too old for the flight recorder's memory: neither lost nor written.",
      own.overwritten)
    one("mrtrace_journal_lines_total", .counter, "Lines written to the journal.", own.linesWritten)
    one(
      "mrtrace_journal_lines_omitted_total", .counter,
      "Failures without a line of their own: over the limit of lines a minute.", own.linesLeftOut)
    text.begin(
      "mrtrace_configuration_reloads_total", .counter,
      "Times that the configuration was read again, by result.")
    text.sample([("result", "success")], own.reloads)
    text.sample([("result", "failure")], own.reloadsFailed)
    text.begin("mrtrace_build_info", .gauge, "Version of mrtrace, and the kernel it watches.")
    text.sample([("version", own.version), ("kernel", own.kernel)], 1)
    text.begin("mrtrace_start_time_seconds", .gauge, "When the monitor began, since 1970.")
    text.sample([], ns: own.startWallNs)
    text.begin("mrtrace_cpu_seconds_total", .counter, "CPU time of the monitor itself.")
    text.sample([], ns: own.cpuNs)
    one("mrtrace_resident_memory_bytes", .gauge, "Memory of the monitor itself.", own.residentBytes)
    one("mrtrace_open_fds", .gauge, "File descriptors of the monitor itself.", own.openDescriptors)
  }
}

extension PrometheusText {
  /// Bounds where the kernel's buckets end exactly: about 1 µs, 4 µs, 16 µs, … 4 s.
  fileprivate mutating func histogram(_ labels: Labels, _ durations: LogBuckets) {
    var buckets: [(ns: UInt64, count: UInt64)] = []
    var (passed, index) = (UInt64(0), 0)
    for power in stride(from: UInt64(10), through: 32, by: 2) {
      let last = LogBuckets.index(of: (1 << power) - 1)
      while index <= last {
        passed &+= durations.counts[index]
        index += 1
      }
      buckets.append(((1 << power) - 1, passed))
    }
    histogram(labels, buckets: buckets, count: durations.count, sumNs: durations.sumNs)
  }
}
