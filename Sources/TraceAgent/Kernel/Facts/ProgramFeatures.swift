// SPDX-License-Identifier: Apache-2.0

import CEvents

/// What this kernel lets BPF programs do, of what not every kernel does (`struct mrt_config`).
package struct ProgramFeatures: Equatable, Sendable {
  /// They read the kernel's memory by plain loads.
  package var plainLoads: Bool
  /// What is in flight, and the arguments that kprobes keep, goes with its task.
  package var taskStorage: Bool
  /// Loops by the kernel's iterators, of which the verifier follows a few turns.
  package var iterators: Bool
  /// Functions of ours return pointers that may be NULL.
  package var pointerResults: Bool

  /// Every kernel has all that the programs need then.
  package static let none = ProgramFeatures(
    plainLoads: false, taskStorage: false, iterators: false, pointerResults: false)
  /// Linux 6.17 and later. Kernels between have some of them; they are run as those that have none, which is what is tested.
  package static let all = ProgramFeatures(
    plainLoads: true, taskStorage: true, iterators: true, pointerResults: true)

  func configure(_ config: inout mrt_config) {
    config.plain_loads = plainLoads ? 1 : 0
    config.task_storage = taskStorage ? 1 : 0
    config.iterators = iterators ? 1 : 0
    config.pointer_results = pointerResults ? 1 : 0
  }

  /// Maps that have nothing in them, as others have it.
  var unusedMaps: [String] {
    taskStorage ? ["operations", "calls", "blank_entry"] : ["tasks", "kept_calls"]
  }
}
