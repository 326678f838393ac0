// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Events
import Model
import Operations
import Recording

/// Explains operations that have ended: the one way from the correlator to a diagnosis.
///
/// It knows what is evidence by not being there: which functions were watched, and when runs of their hooks were missed.
package struct Explainer {
  /// Functions of which a failure would have been recorded.
  package struct Watched {
    var functions: Set<FunctionName>?
    /// What began before `fromNs` (CLOCK_MONOTONIC) was watched by these alone.
    var earlier: Set<FunctionName>?
    var fromNs: UInt64 = 0

    /// nil: not known.
    package init(_ functions: Set<FunctionName>?) {
      self.functions = functions
      earlier = functions
    }

    /// `earlier`: those that were watched before `fromNs` as well.
    package init(_ functions: Set<FunctionName>, earlier: Set<FunctionName>, fromNs: UInt64) {
      self.functions = functions
      self.earlier = earlier
      self.fromNs = fromNs
    }

    fileprivate func during(_ operation: Operation) -> Set<FunctionName>? {
      let isNewer = operation.startNs.map { $0 >= fromNs } ?? (fromNs == 0)
      return isNewer ? functions : earlier
    }
  }

  /// What the hooks have counted: complete for the time of the operations that are explained.
  package var accounts = RecordedAccounts()
  /// What is seen, as far as that is known.
  package var sight: Sight?
  package var watched: Watched

  private let hooks: HookNames
  private let traits: KernelTraits
  /// Where parts of a recording are missing.
  private let run: RecordedRun?

  /// Of a recording; `watched`: of its hook plan, or nil where that is not to be relied on.
  package init(_ run: RecordedRun, watched: Set<FunctionName>?) {
    self.run = run
    self.watched = Watched(watched)
    hooks = run.environment.hookNames
    traits = run.environment.traits
    sight = run.environment.sight
  }

  /// Of a trace that is running.
  package init(hooks: HookNames, traits: KernelTraits, watched: Watched) {
    run = nil
    self.hooks = hooks
    self.traits = traits
    self.watched = watched
  }

  /// Says of an operation what its records alone do not: that its kind was not seen, that it may lack evidence.
  package func correct(_ operation: inout Operation) {
    operation.correctMissedEntry(
      missed: accounts.missed(before: operation, hooks), watched: watched.functions)
    run?.markGaps(&operation)
  }

  /// Why it failed, once it is corrected; nil where it did not.
  package func diagnosis(of operation: Operation) -> Diagnosis? {
    guard operation.failed else { return nil }
    return diagnosis(of: operation, missed: accounts.missed(during: operation, hooks))
  }

  /// ``correct(_:)`` and ``diagnosis(of:)``; the operation as the diagnosis has it.
  package func explain(_ ended: Operation) -> (operation: Operation, diagnosis: Diagnosis?) {
    var operation = ended
    correct(&operation)
    let diagnosis = diagnosis(of: operation)
    return (diagnosis?.operation ?? operation, diagnosis)
  }

  /// The same before the accounts are complete: as if all had been missed.
  package func explainAtOnce(
    _ ended: Operation
  ) -> (operation: Operation, diagnosis: Diagnosis?) {
    var operation = ended
    let all = watched.functions ?? []
    operation.correctMissedEntry(missed: all, watched: watched.functions)
    let diagnosis = diagnosis(of: operation, missed: MissedRuns(any: all))
    return (diagnosis?.operation ?? operation, diagnosis)
  }

  private func diagnosis(of operation: Operation, missed: MissedRuns) -> Diagnosis? {
    diagnose(
      operation, traits: traits, watched: watched.during(operation), missed: missed, sight: sight)
  }
}
