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
      isNewer(operation) ? functions : earlier
    }

    fileprivate func isNewer(_ operation: Operation) -> Bool {
      operation.startNs.map { $0 >= fromNs } ?? (fromNs == 0)
    }
  }

  /// What the hooks have counted: complete for the time of the operations that are explained.
  package var accounts = RecordedAccounts()
  /// What is seen, as far as that is known.
  package var sight: Sight? {
    didSet { if sight != oldValue { repeated.removeAll() } }
  }
  package var watched: Watched {
    didSet { repeated.removeAll() }
  }

  private let hooks: HookNames
  private let traits: KernelTraits
  /// Where parts of a recording are missing.
  private let run: RecordedRun?

  /// A failure with the evidence of one before it, and what was said of it.
  private struct Repeated {
    var operation: Operation
    var missed: MissedRuns
    var diagnosis: Diagnosis
  }

  /// By thread: those that repeat the same failure once more differ in their times alone, and a diagnosis costs more than
  /// all else that is done for a failure.
  private var repeated: [Int: Repeated] = [:]
  private static let repeatedLimit = 1024

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
  package mutating func explain(
    _ ended: Operation
  ) -> (operation: Operation, diagnosis: Diagnosis?) {
    var operation = ended
    correct(&operation)
    guard operation.failed else { return (operation, nil) }
    let missed = accounts.missed(during: operation, hooks)
    if let said = said(of: operation, missed) { return (operation, said) }
    let diagnosis = diagnosis(of: operation, missed: missed)
    if let diagnosis { keep(diagnosis, of: operation, missed) }
    return (diagnosis?.operation ?? operation, diagnosis)
  }

  /// What was said of the failure that `operation` repeats, if nothing but its times differs.
  private func said(of operation: Operation, _ missed: MissedRuns) -> Diagnosis? {
    guard operation.lentFrom != nil, let last = repeated[operation.runner.tid],
      last.missed == missed
    else { return nil }
    var other = operation
    other.startNs = last.operation.startNs
    other.endNs = last.operation.endNs
    other.repeatsAfterNs = last.operation.repeatsAfterNs
    guard other == last.operation, watched.isNewer(other) == watched.isNewer(operation) else {
      return nil
    }
    var diagnosis = last.diagnosis
    diagnosis.operation = operation
    return diagnosis
  }

  private mutating func keep(
    _ diagnosis: Diagnosis, of operation: Operation, _ missed: MissedRuns
  ) {
    // Where evidence was left out, that may have been for its times.
    guard operation.lentFrom != nil, operation.startNs != nil, diagnosis.operation == operation
    else { return }
    if repeated.count >= Self.repeatedLimit { repeated.removeAll(keepingCapacity: true) }
    repeated[operation.runner.tid] = Repeated(
      operation: operation, missed: missed, diagnosis: diagnosis)
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
