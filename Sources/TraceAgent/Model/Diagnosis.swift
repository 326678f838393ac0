// SPDX-License-Identifier: Apache-2.0

/// The answer for one failed operation: what `report --json` prints and what the text shows.
package struct Diagnosis: Equatable, Sendable {
  package enum Delivered: String, Sendable {
    /// The errno was the system call's result.
    case syscall
    /// The user saw an error completion.
    case completion
    /// Nobody was told.
    case discarded
  }

  package enum Confidence: String, Sendable { case proved, inferred, unknown }

  /// One function's part in the failure.
  package struct Link: Equatable, Sendable {
    package enum Seen: String, Sendable { case direct, replayed, inferred }

    /// What it returned.
    package enum Result: Hashable, Sendable, CustomStringConvertible {
      case errno(Errno)
      /// "VM_FAULT_SIGBUS" of a fault handler, "NULL" of a look-up, a number.
      case word(String)

      /// "-EFAULT", or the word.
      package var description: String {
        switch self {
        case .errno(let errno): "-\(errno)"
        case .word(let word): word
        }
      }
    }

    package var function: String
    package var result: Result
    package var seen: Seen
    package init(function: String, result: Result, seen: Seen) {
      self.function = function
      self.result = result
      self.seen = seen
    }
  }

  /// The failing page.
  package struct Page: Equatable, Sendable {
    package var address: UInt64
    /// "pte", "pmd", "pud", …; nil when no entry was read for it.
    package var level: String?
    package var raw: UInt64?
    /// Flags that this kernel defines and that are set, or e.g. ["HWPOISON"] for a swap-type entry.
    package var flags: [String]
    /// Entries around it, for the reader's eye: address, raw, flags. Includes the page itself.
    package var neighbours: [Neighbour]
    package struct Neighbour: Equatable, Sendable {
      package var address: UInt64
      package var raw: UInt64
      package var flags: [String]
      package init(address: UInt64, raw: UInt64, flags: [String]) {
        self.address = address
        self.raw = raw
        self.flags = flags
      }
    }
    package init(address: UInt64, level: String?, raw: UInt64?, flags: [String]) {
      self.address = address
      self.level = level
      self.raw = raw
      self.flags = flags
      self.neighbours = []
    }
  }

  /// What other kernels would have done with the entry or mapping that this one rejected: computed
  /// from the table of their rules, never observed.
  package struct WhatIf: Equatable, Sendable {
    package enum Outcome: String, Sendable {
      case accepts, refuses
      /// A page fault is tried (or waited for) first, whose end is not computed unless the sentence
      /// says so.
      case faults
    }
    /// "5.15 and later", "5.10 to 5.14".
    package var generation: String
    package var outcome: Outcome
    /// "computed: the rules of 5.15 and later accept this PTE".
    package var sentence: String
    package init(generation: String, outcome: Outcome, sentence: String) {
      self.generation = generation
      self.outcome = outcome
      self.sentence = sentence
    }
  }

  package var operation: Operation
  package var errno: Errno
  /// nil: what asked for it was not seen.
  package var delivered: Delivered?
  /// From the deepest function that failed outward.
  package var chain: [Link]
  /// A name of docs/causes.md, or "unknown".
  package var cause: String
  package var confidence: Confidence
  package var page: Page?
  /// The mapping of the failing page.
  package var mapping: MappingEvidence?
  /// What stands behind that mapping.
  package var backing: BackingEvidence?
  /// The kernel, which tells what the mapping's flags mean; nil = not known.
  package var kernel: KernelRelease?
  /// Byte offset of the failing page in the mapping's file.
  package var fileOffset: UInt64?
  /// One sentence.
  package var summary: String
  package var advice: [String]
  package var references: [String]
  /// Empty unless a rule of the kernel rejected an entry or a mapping.
  package var whatIf: [WhatIf] = []
  /// Why the evidence is incomplete, so that nothing is proved; empty where it is not.
  package var incomplete: [String] = []

  package init(operation: Operation, errno: Errno, delivered: Delivered?) {
    self.operation = operation
    self.errno = errno
    self.delivered = delivered
    self.chain = []
    self.cause = Diagnosis.unknown
    self.confidence = .unknown
    self.summary = ""
    self.advice = []
    self.references = []
  }
}

extension Diagnosis {
  /// The name that stands for a cause where none is proved.
  package static let unknown = "unknown"

  package var isUnknown: Bool { cause == Diagnosis.unknown }
}
