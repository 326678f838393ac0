// SPDX-License-Identifier: Apache-2.0

import Agent
import ArgumentParser
import Kernel

/// `mrtrace`: explains why RDMA memory failed.
@main
struct MRTrace: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "mrtrace",
    abstract: "Explains why RDMA memory failed.",
    discussion: """
      Watches memory registrations, prefetches and on-demand page faults with BPF, and says for every one that \
      failed which page, which page-table bits and which kernel check decided, which file the page belongs to, \
      and what to do.

      EXAMPLES
        mrtrace record -- ./server --pool /mnt/pmem/pool
        mrtrace record -p 4242 --duration 60
        mrtrace live
        mrtrace report mrtrace-20261122-101500
        mrtrace export mrtrace-20261122-101500 --to perfetto
        mrtrace doctor
        mrtrace explain EFAULT
      """,
    version: Version.current,
    subcommands: [
      RecordCommand.self, LiveCommand.self, MonitorCommand.self, ReportCommand.self,
      ExportCommand.self, DoctorCommand.self,
      ExplainCommand.self,
    ])

  /// Wrong usage is status 2, as with most tools; the parser's own would be 64.
  static func main() {
    do {
      var command = try parseAsRoot()
      // What reads recordings, which anybody may have written, needs no privilege to do so.
      if command is ReportCommand || command is ExportCommand || command is ExplainCommand {
        Privileges.keepFileAccess()
      }
      try command.run()
    } catch {
      guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
      Output.notes(fullMessage(for: error) + "\n")
      exit(withError: ExitCode(2))
    }
  }
}
