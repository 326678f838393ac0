// SPDX-License-Identifier: Apache-2.0

/// One of the programs that a hook is made of (bpf/hook.h); the raw value is the prefix of its name.
enum ProgramPart: String, CaseIterable {
  /// Begin an operation: two copies, since the kernel skips one in which another task has been preempted.
  case begin = "fentry"
  case beginAgain = "fentry2"
  /// End and count it: three copies.
  case end
  case endAgain = "end2"
  case endLast = "end3"
  /// Takes evidence at the return, and counts the call where nothing else does.
  case evidence = "fexit"
  /// Takes it where the first copy did not run.
  case evidenceAgain = "fexit2"
  case kprobe
  case kretprobe
  case tracepoint = "raw_tp"

  /// Parts that hang on trampolines.
  static let trampolines: [ProgramPart] = [
    .begin, .beginAgain, .end, .endAgain, .endLast, .evidence, .evidenceAgain,
  ]

  var prefix: String { rawValue + "__" }

  var isEntry: Bool { [.begin, .beginAgain, .kprobe].contains(self) }

  func name(of row: HookPlan.Row) -> String { prefix + row.hook.symbol }
}

extension HookPlan.Row {
  /// Its programs, in the order in which they are attached.
  ///
  /// The kernel runs the one attached last first: evidence is taken before the operation ends, and of the copies
  /// that end it the one attached last is the first. Not every hook has a program of each kind in the BPF object.
  var programs: [ProgramPart] {
    switch (rung, hook.way) {
    case (.fexit, .operation):
      [.beginAgain, .begin, .endLast, .endAgain, .end, .evidenceAgain, .evidence]
    case (.fexit, .entryAndExit): [.begin, .evidence]
    case (.fexit, _): [.evidenceAgain, .evidence]
    case (.kprobe, _): [.kprobe, .kretprobe]
    case (.tracepoint, _): [.tracepoint]
    default: []
    }
  }
}
