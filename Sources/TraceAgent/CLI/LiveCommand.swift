// SPDX-License-Identifier: Apache-2.0

import Agent
import ArgumentParser
import Kernel

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
  var screen: ScreenChoice = .auto

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

  @OptionGroup
  var tracing: TracingOptions

  func validate() throws {
    if !(interval >= 0.1 && interval < 1e6) {
      throw ValidationError("--interval must be a number of seconds, at least 0.1.")
    }
    if let duration, !(duration > 0 && duration < 1e9) {
      throw ValidationError("--duration must be a number of seconds, more than 0.")
    }
    if replay != nil, takesSubject {
      throw ValidationError("--replay shows a recording: it takes neither COMMAND nor filters.")
    }
    if !(speed > 0 && speed <= 1e9) { throw ValidationError("--speed must be more than 0.") }
    if json, screen == .always { throw ValidationError("--json has no screen.") }
  }

  private var takesSubject: Bool {
    let subject = tracing.settings.subject
    return subject.all || !subject.command.isEmpty || !subject.words.isEmpty
  }

  private var settings: LiveSettings {
    var settings = LiveSettings()
    settings.interval = interval
    settings.duration = duration
    settings.isJSON = json
    settings.screen = screen
    return settings
  }

  func run() throws {
    let status: Int32
    do throws(AgentError) {
      if let replay {
        var session = try LiveReplay(settings, speed: speed, path: replay)
        status = try session.show()
      } else {
        status = try LiveSession(settings, tracing.settings, detail: detail).run()
      }
    } catch {
      throw Output.fail(error.sentence)
    }
    if status != 0 { throw ExitCode(status) }
  }
}

extension ScreenChoice: ExpressibleByArgument {}
