// SPDX-License-Identifier: Apache-2.0

import Model

extension Operation {
  var evidenceCount: Int {
    umems.count + layers.count + ranges.count + walks.count + faults.count + levels.count
      + entries.count + mappings.count
  }

  /// The function whose errno is the operation's; nil where it is not known, or has no row in ErrnoFlow.
  ///
  /// A verb whose entry was missed ends with what it called, though its kind is told by the stack.
  var chainRoot: FunctionName? {
    if let root { return ErrnoFlow.byFunction[root] == nil ? nil : root }
    return kind.isSystemCall ? kind.function : nil
  }

  /// The functions whose hooks begin or end it.
  var roots: Set<FunctionName> {
    var roots: Set<FunctionName> = []
    if let root { roots.insert(root) }
    if !kind.isSystemCall { roots.formUnion(kind.askers) }
    if root == "pagefault_mr" { roots.insert("pagefault_single_data_segment") }
    return roots
  }
}
