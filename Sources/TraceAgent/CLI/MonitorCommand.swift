// SPDX-License-Identifier: Apache-2.0

import Agent
import ArgumentParser
import Kernel
import Monitor

struct MonitorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "monitor",
    abstract:
      "Stay on: metrics, a line for each failure, and a recording of each new kind of failure.",
    discussion: """
      Prints nothing. Keeps the newest records in memory, and writes them to a directory when an operation fails in \
      a way that was not seen for a while. Tells each failure to the journal in a line (journalctl -t mrtrace). \
      Writes metrics for Prometheus to a file for node_exporter, or serves them.

      RDMA modules can be unloaded and loaded while it runs: it follows them. Settings are options, or lines \
      "key = value" of a file with the options' names; options go first. SIGHUP reads the file again, SIGUSR1 \
      writes a recording now, SIGTERM ends it.

      EXAMPLES
        mrtrace monitor --directory /var/lib/mrtrace
        mrtrace monitor --textfile /var/lib/prometheus/node-exporter/mrtrace.prom --interval 30s
        mrtrace monitor --listen 127.0.0.1:9750 --directory none
        mrtrace monitor --config /etc/mrtrace/monitor.conf
        mrtrace monitor --config /etc/mrtrace/monitor.conf --check
      """)

  @Option(help: ArgumentHelp("Read settings from this file.", valueName: "file"))
  var config: String?

  @Flag(help: "Check the settings, and end.")
  var check = false

  @Option(
    help: ArgumentHelp(
      "Where recordings go, or none (default: /var/lib/mrtrace).", valueName: "path"))
  var directory: String?

  @Option(
    help: ArgumentHelp("Write the metrics to this file, which others may read.", valueName: "path"))
  var textfile: String?

  @Option(
    help: ArgumentHelp(
      "Serve the metrics at http://ADDRESS:PORT/metrics; a loopback address.",
      valueName: "address:port"))
  var listen: String?

  @Flag(help: "Any address may be listened on; anybody who reaches it reads the metrics.")
  var allowRemote = false

  @Option(
    help: ArgumentHelp("How often the file is written (default: 15s).", valueName: "time"))
  var interval: String?

  @Option(
    help: ArgumentHelp(
      "Another recording of the same kind of failure only after this time (default: 24h).",
      valueName: "time"))
  var again: String?

  @Option(
    help: ArgumentHelp("Recordings an hour, at most (default: 12).", valueName: "n"))
  var recordingsPerHour: String?

  @Option(
    help: ArgumentHelp("Recordings that stay, the newest (default: 50).", valueName: "n"))
  var keep: String?

  @Option(
    help: ArgumentHelp("What they may take together (default: 1G).", valueName: "size"))
  var maxTotal: String?

  @Option(
    help: ArgumentHelp("Lines of failures a minute, at most (default: 30).", valueName: "n"))
  var linesPerMinute: String?

  @Option(
    help: ArgumentHelp(
      "Memory for the newest records (default: 16M).", valueName: "size"))
  var memory: String?

  @Option(
    help: ArgumentHelp(
      "Ring buffer between kernel and agent, a power of two (default: 1M).", valueName: "size"))
  var ringSize: String?

  @Option(
    help: ArgumentHelp(
      """
      What is recorded: failures with their evidence (the default), or operations, one record for each as well. \
      All are counted and timed in the kernel.
      """, valueName: "detail"))
  var detail: String?

  @Option(help: .comm)
  var comm: [String] = []

  @Option(
    help: ArgumentHelp(
      "Watch processes in this control group (version 2) and below, also when it comes later. Repeatable.",
      valueName: "path"))
  var cgroup: [String] = []

  @Option(help: .device)
  var device: [String] = []

  @Option(
    help: ArgumentHelp("Only failures with these errnos: EFAULT,EPERM.", valueName: "names"))
  var errno: [String] = []

  @Flag(
    help: """
      Hook modules by fexit, which costs less, and keeps them from being unloaded while the monitor runs.
      """)
  var pinModules = false

  /// The settings given as options, by their names in the file.
  private var given: [(key: String, value: String)] {
    let values: [(String, String?)] = [
      ("directory", directory), ("textfile", textfile), ("listen", listen),
      ("allow-remote", allowRemote ? "yes" : nil), ("interval", interval), ("again", again),
      ("recordings-per-hour", recordingsPerHour), ("keep", keep), ("max-total", maxTotal),
      ("lines-per-minute", linesPerMinute), ("memory", memory), ("ring-size", ringSize),
      ("detail", detail), ("pin-modules", pinModules ? "yes" : nil),
    ]
    let lists: [(FilterRequest.Kind, [String])] = [
      (.comm, comm), (.cgroup, cgroup), (.device, device), (.errno, errno),
    ]
    return values.compactMap { key, value in value.map { (key, $0) } }
      + lists.flatMap { kind, values in values.map { (kind.rawValue, $0) } }
  }

  /// Defaults, then the file, then the options.
  func settings() throws(MonitorConfiguration.Problem) -> MonitorConfiguration {
    var settings = MonitorConfiguration()
    if let config {
      guard let text = TextFile.read(config) else {
        throw .init(sentence: "\(config) cannot be read: see that it is there and readable")
      }
      settings = try settings.reading(text, of: config)
    }
    for kind in FilterRequest.Kind.allCases where given.contains(where: { $0.key == kind.rawValue })
    {
      settings.filter.removeAll(kind)
    }
    for (key, value) in given { try settings.set(key, value) }
    try settings.check()
    return settings
  }

  func run() throws {
    let settings: MonitorConfiguration
    do throws(MonitorConfiguration.Problem) {
      settings = try self.settings()
    } catch {
      throw Output.wrongUsage(error.sentence)
    }
    if check { return }
    do throws(AgentError) {
      try MonitorSession.run(settings, reread: self.settings)
    } catch {
      throw Output.fail(error.sentence)
    }
  }
}
