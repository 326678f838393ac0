// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model

/// Names of addresses, as SYMBOL records tell them.
///
/// They may come after the operation whose stack they name: the agent looks names up at the end.
package struct SymbolTable: Sendable {
  private struct Key: Hashable {
    /// nil in the kernel; a user address has its meaning in one process only.
    var pid: Int?
    var address: UInt64
  }

  private var names: [Key: String] = [:]

  package init() {}

  package mutating func add(_ record: SymbolRecord) {
    switch mrt_stack_what(rawValue: record.what) {
    case MRT_STACK_KERNEL: names[Key(pid: nil, address: record.address)] = record.name
    case MRT_STACK_USER:
      names[Key(pid: Int(record.header.pid), address: record.address)] = record.name
    default: break
    }
  }

  /// Names the frames of `operation` that have none yet.
  package func name(_ operation: inout Operation) {
    guard !names.isEmpty else { return }
    for index in operation.kernelStack.indices where operation.kernelStack[index].name == nil {
      operation.kernelStack[index].name =
        names[Key(pid: nil, address: operation.kernelStack[index].address)]
    }
    let pid = operation.runner.pid
    for index in operation.userStack.indices where operation.userStack[index].name == nil {
      operation.userStack[index].name =
        names[Key(pid: pid, address: operation.userStack[index].address)]
    }
  }
}
