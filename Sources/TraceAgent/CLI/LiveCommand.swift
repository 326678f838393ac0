// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import Kernel
import Model
import Recording

struct LiveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "live",
    abstract: "Watch registrations, prefetches and page faults as they happen; nothing is written.",
    discussion: """
      One screen, redrawn every second: rates and latencies, failures by cause, the last ones in a line each, \
      who fails most. "?" on it explains the keys. Where standard output is no terminal, TERM is dumb, or NO_COLOR \
      is set, plain lines with the same numbers are printed, or JSON lines with --json.

      With COMMAND, what it writes to the terminal is held back until the screen has gone, and it cannot read \
      from the terminal. The exit status is COMMAND's, otherwise 0; 1 when mrtrace itself failed.

      EXAMPLES
        mrtrace live
        mrtrace live -p 4242 --follow
        mrtrace live --comm server --errno EFAULT
        mrtrace live -- ./server --pool /mnt/pmem/pool
        mrtrace live --replay mrtrace-20261122-101500
        mrtrace live --interval 10 --json | jq 'select(.type == "failure")'
      """)

  enum Screen: String, CaseIterable, ExpressibleByArgument { case auto, always, never }

  @OptionGroup(title: "What is watched")
  var watched: FilterOptions

  @Option(help: "Seconds between two looks.")
  var interval = 1.0

  @Option(help: "Stop after this many seconds.")
  var duration: Double?

  @Flag(help: "JSON lines: one with all numbers for each interval, one for each failure.")
  var json = false

  @Option(
    help: """
      The screen: auto, always (also with NO_COLOR, then without colour), or never (plain lines).
      """)
  var screen: Screen = .auto

  @Option(
    help: """
      operations: every operation makes a record, for who waits longest; failures: only failed ones do, and \
      the others are counted and timed in the kernel.
      """)
  var detail: TracerSettings.Detail = .operations

  @Option(
    help: ArgumentHelp(
      "Show a recording as it went, instead of this machine.", valueName: "dir"))
  var replay: String?

  @Option(help: "With --replay: so many times as fast.")
  var speed = 1.0

  @Option(
    name: .customLong("no-hook"),
    help: ArgumentHelp(
      """
      Leave a kernel function alone, or a family of hooks (fentry, kprobe, direct, fault). Repeatable.
      """, valueName: "name"))
  var noHook: [String] = []

  @Option(help: "Size of the ring buffer between kernel and agent, KiB; a power of two.")
  var ringSize = 4096

  @Argument(parsing: .postTerminator, help: "The command to run, after --.")
  var command: [String] = []

  func validate() throws {
    if !(interval >= 0.1 && interval < 1e6) {
      throw ValidationError("--interval must be a number of seconds, at least 0.1.")
    }
    if let duration, !(duration > 0 && duration < 1e9) {
      throw ValidationError("--duration must be a number of seconds, more than 0.")
    }
    let names = HookPlan.Family.allCases.map(\.rawValue) + Hook.all.map(\.symbol)
    if let name = noHook.first(where: { !names.contains($0) }) {
      throw ValidationError(
        "--no-hook \(name): no such function or family is hooked; mrtrace doctor lists them.")
    }
    if ringSize < 4 || ringSize & (ringSize - 1) != 0 || ringSize > 1 << 20 {
      throw ValidationError("--ring-size must be a power of two from 4 to 1048576 (KiB).")
    }
    if !command.isEmpty, !pids.isEmpty {
      throw ValidationError("give either COMMAND or -p, not both.")
    }
    if replay != nil, !command.isEmpty || !watched.words.isEmpty || all {
      throw ValidationError("--replay shows a recording: it takes neither COMMAND nor filters.")
    }
    if !(speed > 0 && speed <= 1e9) { throw ValidationError("--speed must be more than 0.") }
    if json, screen == .always { throw ValidationError("--json has no screen.") }
  }

  func run() throws {
    let status: Int32
    do throws(RecordFailure) {
      if let replay {
        var session: LiveReplay
        do throws(RecordingError) {
          session = try LiveReplay(self, path: replay)
        } catch {
          throw .recording(error)
        }
        status = try session.show()
      } else {
        status = try LiveSession(self).run()
      }
    } catch {
      throw Output.fail(error.sentence)
    }
    if status != 0 { throw ExitCode(status) }
  }

  var pids: [Int32] { watched.pids }
  var all: Bool { watched.all }
  var follow: Bool { watched.follow }

  func settings(_ filter: OperationFilter) -> TracerSettings {
    var settings = TracerSettings(
      detail: detail, processes: pids.map { UInt32(bitPattern: $0) },
      filters: !all && (!pids.isEmpty || !command.isEmpty),
      follow: !all && (follow || !command.isEmpty), statistics: true,
      without: Set(noHook.compactMap(HookPlan.Family.init(rawValue:))), unhooked: Set(noHook),
      ringSize: ringSize << 10)
    settings.filter = filter
    return settings
  }
}
