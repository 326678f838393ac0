// SPDX-License-Identifier: Apache-2.0

import CEvents
import Model

/// How a kernel function is watched: its row in ``WatchedFunction/all``, as the programs in bpf/ know it.
package struct Hook: Equatable, Sendable {
  package enum Role: String, Sendable {
    case verbs, driver, umem, hmm, fault, process

    fileprivate init(_ function: WatchedFunction) {
      switch function.part {
      case .verb: self = .verbs
      case .driver: self = .driver
      case .umem, .pin: self = .umem
      case .range, .walk: self = .hmm
      case .fault: self = .fault
      case .process: self = .process
      }
    }
  }

  package typealias Way = WatchedFunction.Way
  package typealias Need = WatchedFunction.Need

  package var id: mrt_hook
  /// Name in the kernel's source, of the BPF program, and in chains.
  package var symbol: FunctionName
  /// Modules that may hold it; empty = vmlinux.
  package var modules: [String]
  package var role: Role
  package var way: Way
  package var need: Need
  /// What can no longer be told without it; nil when its absence is normal on many kernels.
  package var withoutIt: String?

  package init(_ function: WatchedFunction) {
    id = mrt_hook(rawValue: function.number)
    symbol = function.name
    modules = function.modules
    role = Role(function)
    way = function.way
    need = function.need
    withoutIt = function.withoutIt
  }
}

extension mrt_hook: @retroactive Equatable, @retroactive Hashable {}

extension Hook {
  /// All hooks, in the order in which `doctor` shows them.
  package static let all: [Hook] = WatchedFunction.all.map(Hook.init)
}
