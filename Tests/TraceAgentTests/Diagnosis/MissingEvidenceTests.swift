// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Model
import Testing

/// Evidence can be missing: hooks that could not be attached, records that found no room. Then less
/// is known, but nothing else is.
@Suite struct MissingEvidenceTests {
  /// What is left of a scene, and of the functions that are watched.
  struct Remains {
    var operation: Operation
    var watched = Watched.all

    /// Without the hooks of these functions, and what they send besides their own results.
    mutating func unhook(_ functions: Set<String>) {
      let pin = operation.layers.first {
        ["ib_umem_get", "__ib_umem_get_va"].contains($0.function)
      }
      watched.subtract(functions)
      operation.layers.removeAll { functions.contains($0.function) }
      operation.walks.removeAll { functions.contains($0.function) }
      operation.ranges.removeAll { functions.contains($0.function) }
      operation.umems.removeAll { functions.contains($0.function) }
      operation.faults.removeAll { functions.contains($0.witness) }
      operation.backings.removeAll { functions.contains($0.function) }
      // Mappings and page tables come with a callback or range of HMM that failed, or with a pin.
      let sendersGone =
        pin.map { functions.contains($0.function) }
        ?? (operation.walks.isEmpty && !functions.isDisjoint(with: Watched.walks))
      if sendersGone {
        operation.mappings = []
        operation.backings.removeAll { $0.address != 0 && $0.function != "hugetlb_fault" }
        operation.levels = []
        operation.entries = []
        operation.forked = []
      }
      if functions.contains("migrate_pages") { operation.folios = [] }
    }

    mutating func lose(_ records: Int) { operation.lost += records }
  }

  private static let groups: [(name: String, functions: Set<String>)] =
    [
      ("fault witnesses", Watched.faults), ("walks", Watched.walks), ("ranges", Watched.ranges),
      ("HMM", Watched.walks.union(Watched.ranges)), ("umem", Watched.umem),
      ("drivers", Watched.driver), ("pins", Watched.pins),
      ("umem and HMM", Watched.umem.union(Watched.walks).union(Watched.ranges)),
      ("all but the verbs", Watched.all.subtracting(Watched.verbs)),
    ] + Watched.all.sorted().map { ($0, [$0]) }

  private func check(_ entry: CorpusEntry, _ remains: Remains, without what: String) {
    let found = diagnose(
      remains.operation, traits: entry.scene.traits, watched: remains.watched)
    #expect(
      found?.cause == entry.cause || found?.cause == "unknown",
      "\(entry.cause) \(entry.site) without \(what): \(found?.cause ?? "") \(found?.summary ?? "")")
    if remains.operation.lost > 0 { #expect(found?.confidence != .proved) }
  }

  @Test(arguments: CorpusEntry.all.indices)
  func hooksMissing(_ index: Int) {
    let entry = CorpusEntry.all[index]
    for (name, functions) in Self.groups {
      var remains = Remains(operation: entry.scene.operation)
      remains.unhook(functions)
      check(entry, remains, without: name)
    }
  }

  /// The hooks were there, and the kernel skipped their runs: nothing of it counts as proved where the
  /// chain has a hole.
  @Test(arguments: CorpusEntry.all.indices)
  func runsMissed(_ index: Int) {
    let entry = CorpusEntry.all[index]
    for (name, functions) in Self.groups {
      var remains = Remains(operation: entry.scene.operation)
      remains.unhook(functions)
      let found = diagnose(
        remains.operation, traits: entry.scene.traits, watched: Watched.all,
        missed: MissedRuns(any: functions))
      #expect(
        found?.cause == entry.cause || found?.cause == "unknown",
        "\(entry.cause) \(entry.site), runs of \(name) missed: \(found?.cause ?? "")")
      let operation = entry.scene.operation
      let hole =
        !operation.walks.isEmpty && remains.operation.walks.isEmpty
        || !operation.ranges.isEmpty && remains.operation.ranges.isEmpty
          && !remains.operation.walks.isEmpty
      if hole {
        #expect(found?.confidence != .proved, "\(entry.cause) \(entry.site), \(name)")
        #expect(found?.incomplete.isEmpty == false, "\(entry.cause) \(entry.site), \(name)")
      }
    }
  }

  @Test(arguments: CorpusEntry.all.indices)
  func recordsLost(_ index: Int) {
    let entry = CorpusEntry.all[index]
    func dropping<Element>(
      _ what: String, _ path: WritableKeyPath<Operation, [Element]>
    ) {
      let count = entry.scene.operation[keyPath: path].count
      guard count > 0 else { return }
      var none = Remains(operation: entry.scene.operation)
      none.operation[keyPath: path] = []
      none.lose(count)
      check(entry, none, without: what)
      for position in 0..<count {
        var one = Remains(operation: entry.scene.operation)
        one.operation[keyPath: path].remove(at: position)
        one.lose(1)
        check(entry, one, without: "\(what) \(position)")
      }
    }
    dropping("umems", \.umems)
    dropping("layers", \.layers)
    dropping("ranges", \.ranges)
    dropping("walks", \.walks)
    dropping("levels", \.levels)
    dropping("entries", \.entries)
    dropping("mappings", \.mappings)
    dropping("faults", \.faults)
    dropping("folios", \.folios)
    dropping("refusals", \.refusals)
    dropping("forked", \.forked)
    dropping("backings", \.backings)
  }

  /// What the operation's own record may lack: nothing of it was read, or the MR's registration was
  /// before the recording.
  @Test(arguments: CorpusEntry.all.indices)
  func operationHalfKnown(_ index: Int) {
    let entry = CorpusEntry.all[index]
    var remains = Remains(operation: entry.scene.operation)
    remains.operation.mr = MemoryRegion()
    // soft-RoCE does not find an MR without LOCAL_WRITE: where the MR is not known, the sentence
    // names both.
    if entry.cause != "mr-not-writable" || entry.scene.operation.result != -22 {
      check(entry, remains, without: "the MR")
    }
    remains = Remains(operation: entry.scene.operation)
    remains.operation.deviceHasODP = nil
    remains.operation.deviceFlush = nil
    remains.operation.driverHasAdvise = nil
    check(entry, remains, without: "the device")
    remains = Remains(operation: entry.scene.operation)
    remains.operation.advice = nil
    remains.operation.lkey = nil
    check(entry, remains, without: "the advice")
    remains = Remains(operation: entry.scene.operation)
    remains.operation.keyRegistration = nil
    check(entry, remains, without: "the registration of the key")
    remains = Remains(operation: entry.scene.operation)
    for position in remains.operation.faults.indices {
      remains.operation.faults[position].error = nil
      remains.operation.faults[position].faultFlags = nil
      remains.operation.faults[position].fileSize = nil
    }
    remains.lose(1)
    check(entry, remains, without: "the faults' details")
  }
}
