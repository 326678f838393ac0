// SPDX-License-Identifier: Apache-2.0

import CEvents

/// `struct mrt_entries`: a run of consecutive 8-byte entries, one a page.
package struct EntriesRecord: Sendable {
  package var header: mrt_header
  /// The address of the first entry.
  package var address: UInt64
  /// MRT_ENTRIES_PTE or MRT_ENTRIES_HMM_PFN.
  package var what: UInt32
  /// MRT_ENTRIES_WALKED, MRT_ENTRIES_FAULTED or MRT_ENTRIES_ACCEPTED.
  package var search: UInt32
  /// At most MRT_ENTRIES_MAX are recorded.
  package var values: [UInt64]

  package init(
    header: mrt_header, address: UInt64, what: UInt32, search: UInt32, values: [UInt64]
  ) {
    self.header = header
    self.address = address
    self.what = what
    self.search = search
    self.values = values
  }
}

extension EntriesRecord: TailedRecord {
  init(_ record: RawSpan, header: mrt_header, count: Int) {
    self.init(
      header: header, address: record.load(\mrt_entries.address),
      what: record.load(\mrt_entries.what), search: record.load(\mrt_entries.search),
      values: record.words(count, at: \mrt_entries.values))
  }

  var bytes: RecordBytes {
    let values = values.prefix(Int(MRT_ENTRIES_MAX))
    var bytes = RecordBytes(header, before: \mrt_entries.values)
    bytes.set(\mrt_entries.address, address)
    bytes.set(\mrt_entries.what, what)
    bytes.set(\mrt_entries.search, search)
    bytes.set(\mrt_entries.count, UInt32(values.count))
    bytes.append(words: values)
    return bytes
  }
}
