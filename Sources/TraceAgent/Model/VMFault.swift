// SPDX-License-Identifier: Apache-2.0

/// enum vm_fault_reason: what a page-fault handler returns.
package struct VMFault: OptionSet, Sendable {
  package var rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static let outOfMemory = VMFault(rawValue: 0x1)
  package static let sigbus = VMFault(rawValue: 0x2)
  package static let hwpoison = VMFault(rawValue: 0x10)
  package static let hwpoisonLarge = VMFault(rawValue: 0x20)
  package static let sigsegv = VMFault(rawValue: 0x40)
  /// VM_FAULT_ERROR: the fault has failed.
  package static let error = VMFault(rawValue: 0x873)

  /// "VM_FAULT_SIGBUS", …; bits without a name as one hexadecimal number.
  package static func names(_ value: UInt32) -> [String] {
    FlagNames.of(UInt64(value), in: table)
  }

  /// Every bit that has a name.
  package static let table: [(bit: Int, name: String)] = [
    (0, "VM_FAULT_OOM"), (1, "VM_FAULT_SIGBUS"), (2, "VM_FAULT_MAJOR"), (4, "VM_FAULT_HWPOISON"),
    (5, "VM_FAULT_HWPOISON_LARGE"), (6, "VM_FAULT_SIGSEGV"), (8, "VM_FAULT_NOPAGE"),
    (9, "VM_FAULT_LOCKED"), (10, "VM_FAULT_RETRY"), (11, "VM_FAULT_FALLBACK"),
    (12, "VM_FAULT_DONE_COW"), (13, "VM_FAULT_NEEDDSYNC"), (14, "VM_FAULT_COMPLETED"),
  ]
}
