// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Model

/// What recordings say of functions that were not watched, in the words that they have had since there are plans in them.
@Suite struct UnwatchedTests {
  @Test(arguments: [
    (Unwatched.forcedOff, "forced off", "forced off by --no-hook"),
    (
      .kprobesOff,
      "cannot be hooked: kprobes are switched off (/sys/kernel/debug/kprobes/enabled is 0)",
      "it cannot be hooked: kprobes are switched off (/sys/kernel/debug/kprobes/enabled is 0)"
    ),
    (
      .refused(nil), "its program was refused by this kernel",
      "its program was refused by this kernel"
    ),
    (
      .refused("R1 (scalar) cannot be hooked: too large"),
      "its program was refused by this kernel (R1 (scalar) cannot be hooked: too large)",
      "its program was refused by this kernel (R1 (scalar) cannot be hooked: too large)"
    ),
    (
      .notAttached("EBUSY"), "could not be attached: EBUSY", "it could not be attached: EBUSY"
    ),
    (
      .notHooked("/proc/kallsyms shows no addresses"),
      "cannot be hooked: /proc/kallsyms shows no addresses",
      "it cannot be hooked: /proc/kallsyms shows no addresses"
    ),
  ])
  func notesAreReadAsTheyAreWritten(_ why: Unwatched, _ note: String, _ sentence: String) {
    #expect(why.note == note)
    #expect(why.sentence == sentence)
    #expect(Unwatched(note: note) == why)
    // of a clone
    #expect(Unwatched(note: "pagefault_mr.isra.0: \(note)") == why)
  }

  @Test(arguments: [
    "", "not in this kernel", "registrations are not seen", "ib_core is not loaded",
  ])
  func otherNotesGiveNoReason(_ note: String) {
    #expect(Unwatched(note: note) == nil)
    #expect(Sight.Hook("f", rung: .absent, note: note).state == .lacking)
  }
}
