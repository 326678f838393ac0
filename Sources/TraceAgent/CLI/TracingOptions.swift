// SPDX-License-Identifier: Apache-2.0

import Agent
import ArgumentParser
import Kernel

/// What is traced and how: the options that record and live have in common.
struct TracingOptions: ParsableArguments {
  @OptionGroup(title: "What is watched")
  var watched: FilterOptions

  @Option(
    name: .customLong("no-hook"),
    help: ArgumentHelp(
      """
      Leave a kernel function alone, or a family of hooks (fentry, kprobe, direct, fault), to see what the \
      answer is without it. Repeatable.
      """, valueName: "name"))
  var noHook: [String] = []

  @Option(help: "Size of the ring buffer between kernel and agent, KiB; a power of two.")
  var ringSize = 4096

  @Argument(
    parsing: .postTerminator,
    help: "The command to run, after --.")
  var command: [String] = []

  func validate() throws {
    let names = HookPlan.Family.allCases.map(\.rawValue) + Hook.all.map(\.symbol)
    if let name = noHook.first(where: { !names.contains($0) }) {
      throw ValidationError(
        "--no-hook \(name): no such function or family is hooked; mrtrace doctor lists them.")
    }
    if ringSize < 4 || ringSize & (ringSize - 1) != 0 || ringSize > 1 << 20 {
      throw ValidationError("--ring-size must be a power of two from 4 to 1048576 (KiB).")
    }
    if !command.isEmpty, !watched.pids.isEmpty {
      throw ValidationError("give either COMMAND or -p, not both.")
    }
  }

  var settings: TracingSettings {
    var subject = watched.subject
    subject.command = command
    return TracingSettings(subject: subject, unhooked: noHook, ringSize: ringSize)
  }
}

extension TracerSettings.Detail: ExpressibleByArgument {}
