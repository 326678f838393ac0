// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Events
import Explain
import Kernel
import Model
import Operations
import Pump
import Recording

/// Explains the failures of a trace that is running.
///
/// They wait for the next look at the kernel's counts: where a hook of theirs missed a run, nothing of them is proved.
struct RunningExplainer {
  private var explainer: Explainer
  private var losses = LossWatch()
  private var waiting: [Operation] = []
  /// The first of those that wait.
  private var first = 0

  init(hooks: HookNames, traits: KernelTraits, watched: Explainer.Watched) {
    explainer = Explainer(hooks: hooks, traits: traits, watched: watched)
  }

  /// What is seen, as far as that is known.
  var sight: Sight? {
    get { explainer.sight }
    set { explainer.sight = newValue }
  }

  /// Functions of which a failure would have been recorded.
  var watched: Explainer.Watched {
    get { explainer.watched }
    set { explainer.watched = newValue }
  }

  /// How many wait.
  var count: Int { waiting.count - first }

  /// A failure that has ended.
  mutating func add(_ failed: Operation) { waiting.append(failed) }

  /// Takes in what the kernel has counted: often, so that a miss is known to be of a short time.
  mutating func look(_ tallies: [HookTally], now: UInt64) {
    for event in losses.look(tallies, ReceivedRecords(), now: now) {
      explainer.accounts.add(event)
    }
    // What operations of a minute and less need is kept exactly.
    explainer.accounts.fold(endedBefore: now < Self.exactNs ? 0 : now - Self.exactNs)
  }

  private static let exactNs: UInt64 = 60_000_000_000

  /// The next that waits, explained, once ``look(_:now:)`` has been there; nil: none waits.
  mutating func next() -> (operation: Operation, diagnosis: Diagnosis?)? {
    guard first < waiting.count else {
      waiting.removeAll(keepingCapacity: true)
      first = 0
      return nil
    }
    defer { first += 1 }
    return explainer.explain(waiting[first])
  }

  /// Explains a failure that cannot wait, as if everything had been missed.
  func explainAtOnce(_ failed: Operation) -> (operation: Operation, diagnosis: Diagnosis?) {
    explainer.explainAtOnce(failed)
  }
}
