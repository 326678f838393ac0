// SPDX-License-Identifier: Apache-2.0

import Agent
import ArgumentParser
import Kernel

struct RecordCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record",
    abstract: "Record a workload, and explain at its end what failed.",
    discussion: """
      Attaches to the kernel, then starts COMMAND (or watches running processes until Ctrl-C or --duration), \
      writes a recording, and prints the diagnosis of every failed operation. The exit status is COMMAND's \
      (128+n for a signal), otherwise 0; 1 when mrtrace itself failed, 3 when something was lost under --strict.

      A process is watched as the owner of the memory: its page faults and prefetches count even where a \
      kernel worker does them. With COMMAND, its children are watched too. Of several kinds of filters all \
      must fit, of several values of one kind one must: -p 1 -p 2 --device rxe0 is what 1 and 2 do on rxe0.

      EXAMPLES
        mrtrace record -- ib_write_bw --odp
        mrtrace record -o /tmp/rec -- ./server --pool /mnt/pmem/pool
        mrtrace record -p 4242 --follow --duration 60
        mrtrace record                     the whole system, until Ctrl-C
        mrtrace record --comm server --errno EFAULT,EPERM
        mrtrace record --cgroup /system.slice/server.service --device mlx5_0
        mrtrace record --fault-codes -- ./server
        mrtrace record --max-size 64M --keep 5 -o /var/tmp/rec
        mrtrace record --ring 64M -o /var/tmp/rec     for weeks: written when something fails
        mrtrace record --strict --ring-size 65536 -- ./server
      """)

  @Option(
    name: [.short, .customLong("output")],
    help: "The recording's directory; must not exist (default: mrtrace-DATE-TIME).")
  var output: String?

  @Option(help: "Stop after this many seconds.")
  var duration: Double?

  @Option(
    help: """
      What is recorded: failures with their evidence; operations, one record for each operation as well; \
      layers, one for every function between verb and HMM too; pages, also what HMM accepted, page by page.
      """)
  var detail: TracerSettings.Detail = .operations

  @Flag(
    help: """
      Also watch handle_mm_fault, for the fault code of every failed fault. Every page fault of every \
      process then costs some 170 instructions more.
      """)
  var faultCodes = false

  @Flag(
    help: """
      Exit with status 3 when anything was lost: records without room, runs of hooks the kernel skipped, \
      operations not followed, a recording cut off or damaged; or where not all was watched that could fail. What is filtered \
      or only counted is not lost.
      """)
  var strict = false

  @Option(
    help: ArgumentHelp(
      """
      Record in parts of about this size (512K, 64M, 2G): DIR/part-000001 and so on, each a whole recording; \
      report and export read DIR as one.
      """, valueName: "size"))
  var maxSize: ByteSize?

  @Option(
    help: ArgumentHelp(
      "Keep this many parts, the newest (default: all with --max-size, 10 with --ring).",
      valueName: "n"))
  var keep: Int?

  @Option(
    help: ArgumentHelp(
      """
      Flight recorder: keep the newest SIZE (1M, 64M) in memory, and write it to DIR/part-000001 and so on when \
      an operation fails, on SIGUSR1, and at the end. Without it, SIGUSR1 writes what waits to be written.
      """, valueName: "size"))
  var ring: ByteSize?

  @Option(
    help: """
      The live screen while it records: auto (on a terminal, and without COMMAND, which may write there), always \
      (COMMAND's output to the terminal comes when the screen has gone), never.
      """)
  var live: ScreenChoice = .auto

  @Flag(name: .shortAndLong, help: "Do not print the diagnosis at the end.")
  var quiet = false

  @OptionGroup
  var tracing: TracingOptions

  func validate() throws {
    if let duration, !(duration > 0 && duration < 1e9) {
      throw ValidationError("--duration must be a number of seconds, more than 0.")
    }
    if ring != nil, maxSize != nil {
      throw ValidationError("give either --ring or --max-size, not both.")
    }
    if keep != nil, ring == nil, maxSize == nil {
      throw ValidationError("--keep goes with --max-size or --ring.")
    }
    if let keep, keep < 1 { throw ValidationError("--keep must be 1 or more.") }
    for (name, size) in [("--max-size", maxSize), ("--ring", ring)] where size?.isUsable == false {
      throw ValidationError("\(name) must be from 256K to 1024G.")
    }
  }

  private var storage: RecordSettings.Storage {
    if let size = ring {
      return .ring(size: size.bytes, keep: keep ?? RecordSettings.keptParts)
    }
    return maxSize.map { .parts(size: $0.bytes, keep: keep) } ?? .whole
  }

  private var settings: RecordSettings {
    var settings = RecordSettings(tracing: tracing.settings)
    settings.output = output
    settings.storage = storage
    settings.duration = duration
    settings.detail = detail
    settings.faultCodes = faultCodes
    settings.screen = live
    settings.isQuiet = quiet
    settings.isStrict = strict
    return settings
  }

  func run() throws {
    let status: Int32
    do throws(AgentError) {
      status = try RecordSession(settings).run()
    } catch {
      throw Output.fail(error.sentence)
    }
    if status != 0 { throw ExitCode(status) }
  }
}
