// SPDX-License-Identifier: Apache-2.0

import Glibc
import Live
import Model
import Monitor
import Testing

@Suite struct MonitorMetricsTests {
  @Test func histogramsAreCumulativeAndExactAtTheirBounds() {
    var metrics = MonitorMetrics()
    var durations = LiveCounters.Durations()
    for ns: UInt64 in [500, 1023, 1024, 4095, 4096, 1_000_000_000, 40_000_000_000] {
      durations.failed.record(ns)
    }
    metrics.counters.operations[.regMR] = durations
    let lines = metrics.text.split(separator: "\n").filter {
      $0.contains("operation=\"reg_mr\",result=\"failure\"")
    }.map { $0.split(separator: " ").last.map(String.init) ?? "" }
    // ≤ 1.023 µs, ≤ 4.095 µs, ≤ 16.383 µs …, 1.07 s, 4.3 s, all, sum, count
    #expect(
      lines == [
        "2", "4", "5", "5", "5", "5", "5", "5", "5", "5", "6", "6", "7", "41.000010738", "7",
      ])
    #expect(metrics.text.contains("le=\"0.000001023\""))
    #expect(metrics.text.contains("mrtrace_operation_failures_total{operation=\"reg_mr\"} 7\n"))
    #expect(metrics.text.contains("mrtrace_operations_total{operation=\"reg_mr\"} 7\n"))
  }

  @Test func labelsAreEscaped() {
    var text = PrometheusText()
    text.begin("x", .gauge, "a\nb\\")
    text.sample([("l", "q\"b\\n\n")], 1)
    #expect(text.text == "# HELP x a\\nb\\\\\n# TYPE x gauge\nx{l=\"q\\\"b\\\\n\\n\"} 1\n")
  }

  @Test func theNumberOfSeriesIsBounded() {
    var counts = FailureCounts(limit: 16)
    for number in 0..<100 {
      var operation = Operation(
        kind: .regMR, runner: .init(pid: 1, tid: 1, comm: "x"), endNs: 1, result: -14)
      operation.device = "rxe\(number)"
      counts.add(Diagnosis(operation: operation, errno: .fault, delivered: .syscall))
    }
    #expect(counts.counts.count == 17)
    #expect(counts.counts.values.reduce(0, +) == 100)
  }

  @Test func theTextFileIsReplacedAsAWhole() throws {
    let directory = "/tmp/mrtrace-monitor-test.\(getpid())"
    #expect(mkdir(directory, 0o700) == 0)
    defer { _ = rmdir(directory) }
    let path = "\(directory)/m.prom"
    defer { _ = unlink(path) }
    try WholeFile.write("one\n", to: path)
    let old = open(path, O_RDONLY)
    defer { close(old) }
    try WholeFile.write("two\n", to: path)
    var (before, now) = (stat(), stat())
    #expect(fstat(old, &before) == 0 && stat(path, &now) == 0)
    #expect(before.st_ino != now.st_ino)
    #expect(now.st_mode & 0o777 == 0o644)
    var bytes = [UInt8](repeating: 0, count: 4)
    #expect(read(old, &bytes, 4) == 4 && bytes == Array("one\n".utf8))
    #expect(throws: Errno.noent) { try WholeFile.write("x", to: "\(directory)/no/m.prom") }
  }
}
