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
