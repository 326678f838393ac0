// SPDX-License-Identifier: Apache-2.0

/// A level of the page table, the lowest first.
package enum PageTableLevel: String, Sendable, CaseIterable {
  case pte, pmd, pud, p4d, pgd

  /// log2 of the bytes that one entry covers, with 4 KiB pages.
  package var shift: UInt64 {
    switch self {
    case .pte: 12
    case .pmd: 21
    case .pud: 30
    case .p4d: 39
    case .pgd: 48
    }
  }

  /// The start of the range that the entry of `address` covers.
  package func base(of address: UInt64) -> UInt64 { address & ~(1 << shift - 1) }
}
