// SPDX-License-Identifier: Apache-2.0

/// enum ib_access_flags (include/rdma/ib_verbs.h).
package struct AccessFlags: OptionSet, Sendable {
  package var rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static let localWrite = AccessFlags(rawValue: 1 << 0)
  package static let remoteWrite = AccessFlags(rawValue: 1 << 1)
  package static let remoteRead = AccessFlags(rawValue: 1 << 2)
  package static let remoteAtomic = AccessFlags(rawValue: 1 << 3)
  package static let mwBind = AccessFlags(rawValue: 1 << 4)
  package static let zeroBased = AccessFlags(rawValue: 1 << 5)
  package static let onDemand = AccessFlags(rawValue: 1 << 6)
  package static let hugetlb = AccessFlags(rawValue: 1 << 7)
  package static let flushGlobal = AccessFlags(rawValue: 1 << 8)
  package static let flushPersistent = AccessFlags(rawValue: 1 << 9)
  package static let relaxedOrdering = AccessFlags(rawValue: 1 << 20)

  /// Bits that a kernel ignores when it does not know them (IB_ACCESS_OPTIONAL, 20 to 29).
  package static let optional = AccessFlags(rawValue: 0x3ff0_0000)
  /// Bits that some kernel has given a meaning; every other bit is refused by all of them.
  package static let everKnown = AccessFlags(rawValue: 0x3ff).union(optional)

  /// What an MR lets somebody do. Not how it does so: ON_DEMAND, the size of its pages, where its
  /// addresses begin, and what a kernel may ignore.
  package static let rights: AccessFlags = [
    .localWrite, .remoteWrite, .remoteRead, .remoteAtomic, .mwBind, .flushGlobal, .flushPersistent,
  ]

  /// The MR's memory is writable, as ib_access_writable() says.
  package var isWritable: Bool {
    !isDisjoint(with: [.localWrite, .remoteWrite, .remoteAtomic, .mwBind])
  }

  /// Names without their prefix; bits without a name as one hexadecimal number.
  package static func names(_ value: UInt32) -> [String] {
    FlagNames.of(UInt64(value), in: table)
  }

  /// Every bit that has a name.
  package static let table: [(bit: Int, name: String)] = [
    (0, "LOCAL_WRITE"), (1, "REMOTE_WRITE"), (2, "REMOTE_READ"), (3, "REMOTE_ATOMIC"),
    (4, "MW_BIND"), (5, "ZERO_BASED"), (6, "ON_DEMAND"), (7, "HUGETLB"), (8, "FLUSH_GLOBAL"),
    (9, "FLUSH_PERSISTENT"), (20, "RELAXED_ORDERING"),
  ]
}
