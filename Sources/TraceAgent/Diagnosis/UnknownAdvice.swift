// SPDX-License-Identifier: Apache-2.0

import Model

/// What helps with a failure whose cause is not proved: which evidence was lacking, how to get it, and where to report it. To the
/// doctor only those are sent for whom it has an answer: where a hook is not there.
struct UnknownAdvice {
  private let failure: Failure
  private let sight: Sight?

  init(_ failure: Failure, sight: Sight?) {
    self.failure = failure
    self.sight = sight
  }

  var lines: [String] {
    [lost, began, missed, absent, driver, fault, tables].compactMap(\.self) + [report]
  }

  private var operation: Operation { failure.operation }

  // MARK: - Evidence that there was, and that did not arrive

  private var lost: String? {
    let number = operation.lost - operation.dropped - (operation.entryMissed ? 1 : 0)
    guard number > 0 else { return nil }
    return
      "Of its evidence \(count(UInt64(clamping: number), "record")) found no room in the ring buffer: record again with a "
      + "larger --ring-size (KiB; 4096 unless told otherwise), or fewer processes (-p, --comm, --device)."
  }

  private var began: String? {
    guard operation.beganBeforeRecording else { return nil }
    return
      "It began before the recording, or in a part that is not there: have mrtrace attached before it begins (mrtrace record -- "
      + "COMMAND), or keep more (--ring SIZE, --keep N)."
  }

  private var missed: String? {
    let places = failure.placesOfMissed
    guard operation.entryMissed || !places.isEmpty else { return nil }
    let what = places.isEmpty ? "the hook where it began" : places.sorted().joined(separator: ", ")
    return
      "The kernel skipped runs of \(what) while it ran, as it does when tasks of one CPU are preempted in the same hook: let fewer "
      + "threads fail at once, or run the program on more CPUs (taskset, cpuset), and record again."
  }

  // MARK: - Evidence that nobody took

  /// A hook that has its place in this operation's chain and is not attached.
  private var absent: String? {
    let names = failure.expected.filter { names in !names.contains { failure.isWatched($0) } }
      .compactMap(\.first)
    guard let first = names.first else { return nil }
    let reasons = names.map { "\($0)\(reason($0).map { why in " (\(why.sentence))" } ?? "")" }
    let isForced = reason(first) == .forcedOff
    return "Not watched: \(reasons.joined(separator: ", ")): "
      + (isForced
        ? "record again without that --no-hook."
        : "mrtrace doctor shows why (\(names.count == 1 ? "its row" : "their rows") among the hooks).")
  }

  private func reason(_ function: FunctionName) -> Unwatched? {
    if case .missing(let why)? = sight?.state(of: function) { why } else { nil }
  }

  /// The verb failed, nothing below it was seen to, and the device's driver is not watched.
  private var driver: String? {
    guard failure.isBare, failure.hasVerb, let sight, let name = operation.device else {
      return nil
    }
    let devices = sight.devices.filter { $0.name == name }
    guard let device = devices.first(where: { !sight.isWatched($0) }) else { return nil }
    guard let driver = device.driver else {
      return
        "The functions of \(name)'s driver are not watched, and it refused this itself, or the core did: the kernel's log (dmesg) "
        + "may tell."
    }
    return
      "The functions of driver \(driver) (of \(name)) are not watched, and it refused this itself, or the core did: let it tell in "
      + "dmesg (echo 'module \(driver) +p' | sudo tee /sys/kernel/debug/dynamic_debug/control) and try again."
  }

  private var fault: String? {
    guard case .fault(let site) = failure.locus, site.witness == nil else { return nil }
    if failure.isWatched("handle_mm_fault") {
      return
        "A page fault failed, and handle_mm_fault was watched without seeing it: the fault ended before it was called, at a "
        + "mapping that changed meanwhile. Try whether it fails the same way again."
    }
    return
      "A page fault failed and no hook saw its code, which tells one reason from another: record again with --fault-codes."
  }

  private var tables: String? {
    guard case .unclear = failure.locus else { return nil }
    return
      "The page tables were changed between the kernel's decision and the record, or could not be read: if it fails again, record "
      + "it while nothing else maps, unmaps or migrates that memory."
  }

  /// What to send to those who can add the rule.
  private var report: String {
    let layers =
      failure.isBare ? " Recorded with --detail layers it tells also what did not fail." : ""
    return
      "If all of its evidence is there, mrtrace lacks the rule: report it to the project with the sentence above, the kernel "
      + "(\(failure.traits.release)), and the recording, or mrtrace export DIR --to jsonl of it; look through it first, it holds "
      + "addresses, file names and call stacks.\(layers)"
  }
}

extension Failure {
  /// Functions of which runs were missed and that have their place in its chain, as ``holes`` has them.
  fileprivate var placesOfMissed: Set<FunctionName> {
    Set(missed.filter { function in holes.contains { $0.contains(function) } })
  }

  /// It begins with a verb.
  fileprivate var hasVerb: Bool { operation.kind.isSystemCall }

  /// Functions that such an operation runs through as far as it was seen to come, in the order of the calls; where kernels have it by
  /// different names, all of them.
  fileprivate var expected: [[FunctionName]] {
    let pin = ["ib_umem_get", "__ib_umem_get_va"]
    let walk = [
      ["hmm_range_fault", "hmm_range_fault_locked"], ["hmm_vma_walk_test"], ["hmm_vma_walk_hole"],
      ["hmm_vma_walk_pmd"],
    ]
    let map = ["ib_umem_odp_map_dma_and_lock"]
    // What failed was seen: what is missing lies below it.
    if !walks.isEmpty { return [] }
    if !ranges.isEmpty { return Array(walk.dropFirst()) }
    if operation.kind.isRegistration {
      return access?.contains(.onDemand) == true ? [["ib_umem_odp_get"]] : [pin]
    }
    return operation.kind.isSystemCall ? [map] + walk : walk
  }
}
