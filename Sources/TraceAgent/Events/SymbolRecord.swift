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

extension SymbolRecord: TailedRecord {
  init(_ record: RawSpan, header: mrt_header, count: Int) {
    self.init(
      header: header, address: record.load(\mrt_symbol.address),
      what: record.load(\mrt_symbol.what),
      name: CText.string(record.bytes(count, at: \mrt_symbol.name)))
  }

  var bytes: RecordBytes {
    let name = name.utf8.prefix(Int(MRT_NAME_MAX))
    var bytes = RecordBytes(header, before: \mrt_symbol.name)
    bytes.set(\mrt_symbol.address, address)
    bytes.set(\mrt_symbol.what, what)
    bytes.set(\mrt_symbol.name_size, UInt32(name.count))
    bytes.append(name)
    return bytes
  }
}
