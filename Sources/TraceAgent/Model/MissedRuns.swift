// SPDX-License-Identifier: Apache-2.0

/// Functions of which the kernel may have skipped runs of their programs while an operation ran, by what those do.
package struct MissedRuns: Equatable, Sendable, ExpressibleByArrayLiteral {
  /// What begins an operation.
  package var entries: Set<FunctionName>
  /// What ends an operation, or counts a call; of kprobes also what keeps the arguments until then.
  package var returns: Set<FunctionName>
  /// What takes evidence and does nothing else.
  package var evidence: Set<FunctionName>

  package init(
    entries: Set<FunctionName> = [], returns: Set<FunctionName> = [],
    evidence: Set<FunctionName> = []
  ) {
    self.entries = entries
    self.returns = returns
    self.evidence = evidence
  }

  /// Of these any run may be missing.
  package init(any functions: Set<FunctionName>) {
    self.init(entries: functions, returns: functions, evidence: functions)
  }

  package init(arrayLiteral functions: FunctionName...) { self.init(any: Set(functions)) }

  /// Functions of which any run was missed.
  package var all: Set<FunctionName> { calls.union(evidence) }

  /// Functions of which calls were missed, at one end or both, and not their evidence alone.
  package var calls: Set<FunctionName> { entries.union(returns) }

  /// Functions of which one call may have ended unseen and the next begun unseen, so that the two pass for one.
  package var joints: Set<FunctionName> { entries.intersection(returns) }
}
