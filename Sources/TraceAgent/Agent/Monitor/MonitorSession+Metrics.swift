// SPDX-License-Identifier: Apache-2.0

import Glibc
import Kernel
import Model
import Monitor

/// What Prometheus reads.
extension MonitorSession {
  mutating func metrics(now: UInt64) -> String {
    if !page.isEmpty, now >= pageNs, now - pageNs < Self.secondNs / 2 { return page }
    var metrics = MonitorMetrics()
    metrics.counters = LiveFeed.counters(
      of: attached.tracer, attached.tracer.tallies(), traits: attached.facts.traits)
    metrics.failures = feed.failures
    metrics.hooks = attached.tracer.plan.rows.filter { $0.isAttached || $0.rung == .later }.map {
      .init(
        function: $0.hook.symbol, module: $0.module ?? $0.hook.modules.first ?? "vmlinux",
        isAttached: $0.isAttached)
    }
    let sight = sight
    for kind in Operation.Kind.allCases { metrics.seen[kind] = sight.sees(kind) }
    metrics.devices = attached.sighting.devices.map {
      .init(name: $0.name, driver: $0.driver ?? "", isWatched: sight.isWatched($0))
    }
    metrics.modules = modules.values.sorted { $0.name < $1.name }
    metrics.own = own
    metrics.own.takeProcess()
    metrics.own.linesWritten = journal.written
    metrics.own.linesLeftOut = journal.omitted
    recordings?.count(into: &metrics.own)
    page = metrics.text
    pageNs = now
    return page
  }

  mutating func writeTextfile(now: UInt64) {
    textfileNs = now
    guard let path = settings.textfile else { return }
    pageNs = 0
    page = ""
    let text = metrics(now: now)
    do throws(Errno) {
      try WholeFile.write(text, to: path)
      textfileFailed = false
    } catch {
      if !textfileFailed { journal.note("\(path) cannot be written: \(error)", .error) }
      textfileFailed = true
    }
  }

  mutating func serve(now: UInt64) {
    guard server?.hasWork == true else { return }
    let text = metrics(now: now)
    server?.serve(text)
  }
}

extension MonitorMetrics.Own {
  /// What this process takes.
  fileprivate mutating func takeProcess() {
    var usage = rusage()
    if getrusage(RUSAGE_SELF.rawValue, &usage) == 0 {
      let seconds = UInt64(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
      let microseconds = UInt64(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
      cpuNs = seconds * 1_000_000_000 + microseconds * 1000
    }
    if let fields = TextFile.read("/proc/self/statm")?.split(separator: " "), fields.count > 1 {
      residentBytes = (UInt64(fields[1]) ?? 0) * UInt64(sysconf(CInt(_SC_PAGESIZE)))
    }
    // without the one that reads the directory
    openDescriptors = UInt64(max(0, Directory.names(in: "/proc/self/fd").count - 1))
  }
}
