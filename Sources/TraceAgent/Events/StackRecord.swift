// SPDX-License-Identifier: Apache-2.0

import CEvents

/// `struct mrt_stack`: a call chain.
package struct StackRecord: Sendable {
  package var header: mrt_header
  /// MRT_STACK_KERNEL or MRT_STACK_USER.
  package var what: UInt32
  /// Innermost first; at most MRT_STACK_MAX are recorded.
  package var addresses: [UInt64]

  package init(header: mrt_header, what: UInt32, addresses: [UInt64]) {
    self.header = header
    self.what = what
    self.addresses = addresses
  }
}

extension StackRecord: TailedRecord {
  init(_ record: RawSpan, header: mrt_header, count: Int) {
    self.init(
      header: header, what: record.load(\mrt_stack.what),
      addresses: record.words(count, at: \mrt_stack.addresses))
  }

  var bytes: RecordBytes {
    let addresses = addresses.prefix(Int(MRT_STACK_MAX))
    var bytes = RecordBytes(header, before: \mrt_stack.addresses)
    bytes.set(\mrt_stack.what, what)
    bytes.set(\mrt_stack.count, UInt32(addresses.count))
    bytes.append(words: addresses)
    return bytes
  }
}
