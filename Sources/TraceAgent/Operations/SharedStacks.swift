// SPDX-License-Identifier: Apache-2.0

import Model

/// Many operations fail on the same way through the kernel: their stacks are kept once.
package struct SharedStacks {
  private var stacks: Set<[StackFrame]> = []

  package init() {}

  package mutating func share(_ operation: inout Operation) {
    operation.kernelStack = shared(operation.kernelStack)
    operation.userStack = shared(operation.userStack)
  }

  private mutating func shared(_ stack: [StackFrame]) -> [StackFrame] {
    stack.isEmpty ? stack : stacks.insert(stack).memberAfterInsert
  }
}
