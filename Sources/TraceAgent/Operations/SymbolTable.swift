// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model

/// Names of addresses, as SYMBOL records tell them, and of control groups, as CGROUP records do.
///
/// They may come after the operation whose stack they name: the agent looks names up at the end.
package struct SymbolTable: Sendable {
  private struct Key: Hashable {
    /// nil in the kernel; a user address has its meaning in one process only.
    var pid: Int?
    var address: UInt64
  }

  private var names: [Key: String] = [:]
  private var groups: [UInt64: String] = [:]

  package init() {}

  package mutating func add(_ record: SymbolRecord) {
    switch mrt_stack_what(rawValue: record.what) {
    case MRT_STACK_KERNEL: names[Key(pid: nil, address: record.address)] = record.name
    case MRT_STACK_USER:
      names[Key(pid: Int(record.header.pid), address: record.address)] = record.name
    default: break
    }
  }

  package mutating func add(_ record: CgroupRecord) { groups[record.cgroup] = record.path }

  /// Names what of `operation` has no name yet: the frames of its stacks, its owner's control group. Frames of the tracing are
  /// known by their names, and left out.
  package func name(_ operation: inout Operation) {
    if let group = operation.owner?.cgroup, operation.owner?.cgroupPath == nil {
      operation.owner?.cgroupPath = groups[group]
    }
    guard !names.isEmpty else { return }
    for index in operation.kernelStack.indices where operation.kernelStack[index].name == nil {
      operation.kernelStack[index].name =
        names[Key(pid: nil, address: operation.kernelStack[index].address)]
    }
    operation.dropTracingFrames()
    let pid = operation.runner.pid
    for index in operation.userStack.indices where operation.userStack[index].name == nil {
      operation.userStack[index].name =
        names[Key(pid: pid, address: operation.userStack[index].address)]
    }
  }
}
