// SPDX-License-Identifier: Apache-2.0

/// One of the programs that a hook is made of (bpf/hook.h); the raw value is the prefix of its name.
enum ProgramPart: String, CaseIterable {
  /// Begin an operation: up to two copies, since the kernel skips one in which another task has been preempted.
  case begin = "fentry"
  case beginAgain = "fentry2"
  /// At the return: takes evidence, counts the call, and ends the operation.
  case exit = "fexit"
  /// Takes evidence where the first copy did not run.
  case evidenceAgain = "fexit2"
  /// End the operation where the first copy did not run.
  case endAgain = "end2"
  case endLast = "end3"
  case kprobe
  case kretprobe
  case tracepoint = "raw_tp"

  /// Parts that hang on trampolines.
  static let trampolines: [ProgramPart] = [
    .begin, .beginAgain, .exit, .evidenceAgain, .endAgain, .endLast,
  ]

  var prefix: String { rawValue + "__" }

  var isEntry: Bool { [.begin, .beginAgain, .kprobe].contains(self) }

  func name(of row: HookPlan.Row) -> String { prefix + row.hook.symbol }
}

extension HookPlan.Row {
  /// Its programs, in the order in which they are attached.
  ///
  /// The kernel runs the one attached last first: of copies that is the first. Not every hook has a program of each
  /// kind in the BPF object.
  var programs: [ProgramPart] {
    switch (rung, hook.way) {
    case (.fexit, .operation):
      [.beginAgain, .begin, .endLast, .endAgain, .exit]
    case (.fexit, .entryAndExit): [.begin, .exit]
    case (.fexit, _): [.evidenceAgain, .exit]
    case (.kprobe, _): [.kprobe, .kretprobe]
    case (.tracepoint, _): [.tracepoint]
    default: []
    }
  }
}
