// SPDX-License-Identifier: Apache-2.0

import Model

/// The page-table entries of an operation by address.
struct TableEvidence: Sendable {
  private let format: PageTableFormat
  private var ptes: [UInt64: UInt64] = [:]
  private var hmmPFNs: [UInt64: UInt64] = [:]
  /// First addresses of the runs that were taken where a fault stopped.
  private(set) var faultedRuns: [UInt64] = []
  private let levels: [LevelsEvidence]

  init(_ operation: Operation, format: PageTableFormat) {
    self.format = format
    levels = operation.levels
    for level in operation.levels {
      if let pte = level.pte { ptes[Failure.page(of: level.address)] = pte }
    }
    for run in operation.entries {
      if run.what == .pte && run.search == .faulted { faultedRuns.append(run.address) }
      for (index, value) in run.values.enumerated() {
        let address = Failure.page(of: run.address) &+ UInt64(index) &* Failure.pageSize
        switch run.what {
        case .pte: ptes[address] = value
        case .hmmPFN: hmmPFNs[address] = value
        }
      }
    }
  }

  func pte(at page: UInt64) -> DecodedEntry? {
    ptes[page].map { format.decode($0, level: .pte) }
  }

  func hmmPFN(at page: UInt64) -> UInt64? { hmmPFNs[page] }

  /// Consecutive entries known from `start` on, those at or after `end` left out.
  func run(from start: UInt64, to end: UInt64) -> [(page: UInt64, entry: DecodedEntry)] {
    var found: [(page: UInt64, entry: DecodedEntry)] = []
    var page = Failure.page(of: start)
    while page < end, let entry = pte(at: page) {
      found.append((page, entry))
      page &+= Failure.pageSize
      if page == 0 { break }
    }
    return found
  }

  /// The lowest entry that was read on the way to `page`: of the page itself, or one above it that
  /// maps it or has no table below.
  func lowest(at page: UInt64) -> DecodedEntry? {
    if let pte = pte(at: page) { return pte }
    guard let levels = levels.last(where: { PageTableLevel.pmd.base(of: $0.address ^ page) == 0 })
    else { return nil }
    let entry: DecodedEntry
    if let pmd = levels.pmd {
      entry = format.decode(pmd, level: .pmd)
    } else if let pud = levels.pud {
      entry = format.decode(pud, level: .pud)
    } else if let p4d = levels.p4d {
      entry = format.decode(p4d, level: .p4d)
    } else if let pgd = levels.pgd {
      entry = format.decode(pgd, level: .pgd)
    } else {
      return nil
    }
    // The table below was not read: nothing is known of the page.
    return entry.kind == .table ? nil : entry
  }

  /// Addresses of which all levels were read.
  var levelAddresses: [UInt64] { levels.map { Failure.page(of: $0.address) } }

  /// Up to `count` entries on each side of `page`, itself included.
  func neighbours(of page: UInt64, count: UInt64) -> [Diagnosis.Page.Neighbour] {
    guard ptes[page] != nil else { return [] }
    var first = page
    for _ in 0..<count where ptes[first &- Failure.pageSize] != nil { first &-= Failure.pageSize }
    return run(from: first, to: page &+ (count &+ 1) &* Failure.pageSize).map {
      .init(address: $0.page, raw: $0.entry.raw, flags: $0.entry.flags)
    }
  }
}
