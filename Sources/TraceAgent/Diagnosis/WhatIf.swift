// SPDX-License-Identifier: Apache-2.0

import Model

/// What a rule rejected: all that the rules of other kernels need to be asked the same.
enum Rejected: Sendable {
  /// hmm_vma_handle_pte() rejected an entry that was as the request wanted it.
  case entry(RefusedEntry)
  /// hmm_vma_walk_test() rejected a mapping with these flags.
  case mapping(VMAFlags)
  /// HMM wanted to write to a mapping with these flags.
  case write(VMAFlags)
  /// HMM's fault could not wait for a userfaultfd handler.
  case userfault
  /// A long-term pin refused a mapping.
  case pin(PinRefusal, access: AccessFlags)

  /// "the rules accept …"
  fileprivate var what: String {
    switch self {
    case .entry(let refused): "this \(refused.entry.levelName)"
    case .mapping, .pin: "this mapping"
    case .write: "writing to this mapping"
    case .userfault: "this page"
    }
  }

  /// nil: a kernel of that generation cannot meet the like.
  fileprivate func outcome(
    in generation: KernelGeneration
  ) -> (outcome: Diagnosis.WhatIf.Outcome, note: String)? {
    switch self {
    case .entry(let refused): return Rejected.outcome(of: refused, in: generation)
    case .mapping(let flags):
      return (generation.hmm.refusal(of: flags) == nil ? .accepts : .refuses, "")
    case .write(let flags):
      return (generation.hmm.refusesWrite(to: flags) ? .refuses : .accepts, "")
    case .userfault:
      return generation.hmm.waitsForUserfaultfd
        ? (.faults, ", which waits for the handler") : (.refuses, "")
    case .pin(let refusal, let access):
      if refusal.reason == .secret && !generation.hasSecretMemory { return nil }
      let reason = generation.pin.refusal(
        of: refusal.mapping, writes: refusal.writes, access: access)
      return (reason == nil ? .accepts : .refuses, "")
    }
  }

  /// "The same entry" is one of the same meaning: bits and swap types are numbered differently from
  /// kernel to kernel.
  private static func outcome(
    of refused: RefusedEntry, in generation: KernelGeneration
  ) -> (outcome: Diagnosis.WhatIf.Outcome, note: String)? {
    var entry = refused.entry
    if entry.kind == .swapinError {
      // Before 5.19 the kernel kept no trace of such a page; from 6.2 on it is a marker.
      guard generation.markers.contains(.uffdWP) else { return nil }
      if generation.markers.contains(.poisoned) { entry.kind = .marker(.poisoned) }
    }
    var note = ""
    if case .marker(let marker) = entry.kind {
      guard generation.tellsMarkers, marker.isSubset(of: generation.markers) else { return nil }
      let code = marker.contains(.poisoned) ? "VM_FAULT_HWPOISON" : "VM_FAULT_SIGSEGV"
      note = ", which fails as well (\(code))"
    }
    switch generation.hmm.verdict(entry, wantsWrite: false, isZeroPage: false) {
    case .accepted: return (.accepts, note)
    case .wantsFault: return (.faults, note)
    case .refused: return (.refuses, "")
    }
  }
}

/// Runs the rules of every generation over what was rejected; neighbours that agree are one answer.
func computeWhatIf(_ rejected: Rejected) -> [Diagnosis.WhatIf] {
  var runs: [(range: ClosedRange<Int>, outcome: Diagnosis.WhatIf.Outcome, note: String)] = []
  for (index, generation) in KernelGeneration.all.enumerated() {
    guard let (outcome, note) = rejected.outcome(in: generation) else { continue }
    if let last = runs.last, last.outcome == outcome, last.note == note {
      runs[runs.count - 1].range = last.range.lowerBound...index
    } else {
      runs.append((index...index, outcome, note))
    }
  }
  if runs.count == 1, let only = runs.first, only.outcome == .refuses {
    let first = KernelGeneration.all[only.range.lowerBound].first
    return [
      .init(
        generation: "\(first) and later", outcome: .refuses,
        sentence: "computed: the rules of every kernel from \(first) to \(KernelGeneration.newest) "
          + "refuse \(rejected.what)")
    ]
  }
  return runs.map { run in
    let name = KernelGeneration.name(run.range)
    let verb: String
    switch run.outcome {
    case .accepts: verb = "accept \(rejected.what)\(rejected.meaning)"
    case .refuses: verb = "refuse \(rejected.what)"
    case .faults: verb = "try a fault for \(rejected.what)\(run.note)"
    }
    return .init(
      generation: name, outcome: run.outcome, sentence: "computed: the rules of \(name) \(verb)")
  }
}

extension Rejected {
  /// In what sense the entry is the same elsewhere, where its bits are not.
  fileprivate var meaning: String {
    guard case .entry(let refused) = self, refused.entry.isDevmap else { return "" }
    return ", whichever bit is DEVMAP there (from 6.15 on such a page has an ordinary PTE)"
  }
}
