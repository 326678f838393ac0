// SPDX-License-Identifier: Apache-2.0

import CEvents

/// `struct mrt_symbol`: the name of an address seen in a stack.
///
/// A user address has its meaning in one process only: `header.pid`.
package struct SymbolRecord: Sendable {
  package var header: mrt_header
  package var address: UInt64
  /// MRT_STACK_KERNEL or MRT_STACK_USER.
  package var what: UInt32
  /// Cut at MRT_NAME_MAX bytes when recorded.
  package var name: String

  package init(header: mrt_header, address: UInt64, what: UInt32, name: String) {
    self.header = header
    self.address = address
    self.what = what
    self.name = name
  }
}
