// SPDX-License-Identifier: Apache-2.0

import CEvents

/// One record of bpf/events.h, decoded.
///
/// Records of fixed size are the imported C struct itself; those with a tail are Swift structs.
package enum Event: Sendable {
  /// An operation ended.
  case operation(mrt_operation)
  /// The umem an operation worked on.
  case umem(mrt_umem)
  /// A function between verb and HMM returned.
  case layer(mrt_layer)
  /// An HMM range fault returned.
  case range(mrt_range)
  /// A page-walk callback decided.
  case walk(mrt_walk)
  /// Page-table entries of one address, all levels.
  case levels(mrt_levels)
  case entries(EntriesRecord)
  case mapping(MappingRecord)
  /// A page fault failed.
  case fault(mrt_fault)
  case stack(StackRecord)
  /// One hook's totals.
  case counter(mrt_counter)
  case symbol(SymbolRecord)
  /// Pages walked, by page-table flags and outcome.
  case pages(mrt_pages)
  /// What became of every call of one hook's function.
  case account(mrt_account)
  /// The process that owns the memory of a failed operation.
  case owner(mrt_owner)
  /// An operation ended with an errno that was not asked for.
  case omitted(mrt_omitted)
  /// Made by the agent.
  case shed(mrt_shed)
  case cgroup(CgroupRecord)
  /// A page that could not be moved for a pin.
  case folio(mrt_folio)
  /// What refused an operation where no page did.
  case refusal(mrt_refusal)
  /// A mapping that a process did not get from the one that forked it.
  case forked(mrt_forked)
  /// What stands behind a mapping.
  case backing(BackingRecord)
  /// A kind this version does not know: only its header was read.
  case unknown(mrt_header)

  package var header: mrt_header {
    switch self {
    case .operation(let record): record.h
    case .umem(let record): record.h
    case .layer(let record): record.h
    case .range(let record): record.h
    case .walk(let record): record.h
    case .levels(let record): record.h
    case .entries(let record): record.header
    case .mapping(let record): record.header
    case .fault(let record): record.h
    case .stack(let record): record.header
    case .counter(let record): record.h
    case .symbol(let record): record.header
    case .pages(let record): record.h
    case .account(let record): record.h
    case .owner(let record): record.h
    case .omitted(let record): record.h
    case .shed(let record): record.h
    case .cgroup(let record): record.header
    case .folio(let record): record.h
    case .refusal(let record): record.h
    case .forked(let record): record.h
    case .backing(let record): record.header
    case .unknown(let header): header
    }
  }

  /// CLOCK_MONOTONIC, ns.
  package var timeNs: UInt64 { header.time_ns }
}
