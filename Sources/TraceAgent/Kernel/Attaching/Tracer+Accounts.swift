// SPDX-License-Identifier: Apache-2.0

import CBPF
import CEvents
import CLinux
import Glibc

/// What the kernel side counted for one hook.
package struct HookTally: Sendable {
  package var row: HookPlan.Row
  /// Summed over the CPUs.
  package var tally: mrt_tally
  package var missed: UInt64 = 0
  package var missedReturns: UInt64 = 0
  package var missedEntries: UInt64 = 0
  package var running: UInt64 = 0
  /// Calls whose evidence was not taken, though they were counted.
  package var missedEvidence: UInt64 = 0

  /// As it goes into the recording, with what the agent took and wrote of it.
  package func account(received: UInt64, written: UInt64) -> mrt_account {
    var account = mrt_account()
    account.calls = tally.seen &+ missed &+ missedReturns
    account.reported = tally.reported
    account.cut = tally.cut
    account.aggregated = tally.aggregated
    account.filtered = tally.filtered
    account.unstarted = tally.unstarted
    account.missed = missed
    account.missed_returns = missedReturns
    account.missed_entries = missedEntries
    account.running = running
    account.failed = tally.failed
    account.recorded = tally.recorded
    account.lost = tally.lost
    account.received = received
    account.written = written
    account.untracked = tally.untracked
    account.rung = row.rung.recorded.rawValue
    return account
  }

  /// Evidence that is missing though its operations are told; nil where none is.
  package var shed: mrt_shed? {
    guard tally.shed > 0 || missedEvidence > 0 else { return nil }
    var shed = mrt_shed()
    shed.shed = tally.shed
    shed.missed = missedEvidence
    return shed
  }

  /// As readers of format 1.1 know it.
  package var counts: mrt_counts {
    var counts = mrt_counts()
    counts.seen = tally.seen
    counts.failed = tally.failed
    counts.recorded = tally.recorded
    counts.lost = tally.lost
    counts.filtered = tally.filtered
    counts.untracked = tally.untracked
    return counts
  }
}

/// `struct call_key` of bpf/kept.h.
struct KeptCall: Hashable {
  var task: UInt64 = 0
  var hook: UInt64 = 0
}

extension Tracer {
  /// Stops all programs that record or count, the outermost functions' first: what is still in flight
  /// then ends without an OPERATION record, and none is recorded without its evidence. Nothing is sent
  /// after this returns.
  package mutating func stop() {
    if !settings.features.taskStorage { keptAtStop = Set(keptKeys()) }
    let rows = plan.attached()
    let outermost = rows.filter { $0.hook.way == .operation }
    let others = rows.filter { $0.hook.way != .operation }
    for row in outermost + others {
      for group in groups { group.detachExits(of: row) }
      // Entries go on being kept when returns are no longer picked up.
      if settings.features.taskStorage, row.rung == .kprobe {
        enteredAtStop[row.hook.id.rawValue] = perCPU(row).reduce(0) { $0 &+ $1.entered }
      }
    }
    cbpf_wait_for_programs()
  }

  /// Each hook's totals so far. After ``stop()`` they are final.
  package func tallies() -> [HookTally] {
    let counts = perCPU()
    var left: [UInt32: Kept] = [:]
    let rows = countedRows
    if !settings.features.taskStorage, rows.contains(where: { $0.rung == .kprobe }) {
      left = keptCalls()
    }
    return zip(rows, counts).map { row, values in
      var sum = mrt_tally()
      for value in values { sum.add(value) }
      var result = HookTally(row: row, tally: sum)
      let before = retired[row.hook.id.rawValue]
      var skipped = before?.skipped ?? [:]
      for group in groups { skipped.merge(group.skipped(of: row)) { $0 &+ $1 } }
      let unseen = UnseenCalls(skipped, way: row.hook.way, tally: sum)
      let exits = unseen.returns
      result.missedEntries = unseen.entries
      result.missedEvidence = unseen.evidence
      guard row.rung == .kprobe else {
        result.missed = exits
        return result
      }
      // A return that the kernel skipped leaves its entry behind, as one that never came does.
      let kept = left[row.hook.id.rawValue] ?? Kept()
      let sure = sum.replaced &+ kept.ofGoneThreads
      var all = sure &+ kept.ofThreads
      if settings.features.taskStorage {
        let entered = enteredAtStop[row.hook.id.rawValue] ?? sum.entered
        // read one after the other, while calls go on
        all = entered > sum.taken ? max(sure, entered &- sum.taken) : sure
      }
      result.missedReturns = min(max(exits, sure), all)
      result.running = all &- result.missedReturns
      return result
    }
  }

  /// Records that found no room so far, by CPU.
  package func lostByCPU() -> [UInt64] {
    var lost = [UInt64](repeating: 0, count: max(Int(libbpf_num_possible_cpus()), 0))
    for values in perCPU() {
      for cpu in lost.indices { lost[cpu] &+= values[cpu].lost }
    }
    return lost
  }

  /// What is attached, and what was until its module went.
  private var countedRows: [HookPlan.Row] {
    let rows = plan.attached()
    guard !retired.isEmpty else { return rows }
    let there = Set(rows.map(\.hook.id.rawValue))
    return rows
      + retired.filter { !there.contains($0.key) }.sorted { $0.key < $1.key }.map(\.value.row)
  }

  /// By attached hook, then by CPU.
  private func perCPU() -> [[mrt_tally]] {
    countedRows.map { perCPU($0) }
  }

  private func perCPU(_ row: HookPlan.Row) -> [mrt_tally] {
    let cpus = max(Int(libbpf_num_possible_cpus()), 0)
    var key = row.hook.id.rawValue
    var values = [mrt_tally](repeating: mrt_tally(), count: cpus)
    guard cpus > 0, bpf_map_lookup_elem(mapDescriptor("counters"), &key, &values) == 0 else {
      return [mrt_tally](repeating: mrt_tally(), count: cpus)
    }
    return values
  }

  /// Arguments that a kprobe kept and no return has picked up.
  private struct Kept {
    var ofThreads: UInt64 = 0
    var ofGoneThreads: UInt64 = 0
  }

  private func keptCalls() -> [UInt32: Kept] {
    var kept: [UInt32: Kept] = [:]
    for key in keptKeys() {
      // Entries go on being kept when returns are no longer picked up.
      if let keptAtStop, !keptAtStop.contains(key) { continue }
      let hook = UInt32(truncatingIfNeeded: key.hook)
      let process = pid_t(truncatingIfNeeded: key.task >> 32)
      if cprocess_thread_exists(process, pid_t(truncatingIfNeeded: key.task)) == 0 {
        kept[hook, default: Kept()].ofGoneThreads += 1
      } else {
        kept[hook, default: Kept()].ofThreads += 1
      }
    }
    return kept
  }

  private func keptKeys() -> [KeptCall] {
    let descriptor = mapDescriptor("calls")
    var keys: [KeptCall] = []
    var key = KeptCall()
    var next = KeptCall()
    var found = bpf_map_get_next_key(descriptor, nil, &next)
    // Bounded: a walk over a map that changes may begin anew.
    while found == 0, keys.count < 16384 {
      key = next
      keys.append(key)
      found = bpf_map_get_next_key(descriptor, &key, &next)
    }
    return keys
  }
}

extension mrt_tally {
  fileprivate mutating func add(_ other: mrt_tally) {
    seen &+= other.seen
    reported &+= other.reported
    cut &+= other.cut
    aggregated &+= other.aggregated
    filtered &+= other.filtered
    unstarted &+= other.unstarted
    replaced &+= other.replaced
    failed &+= other.failed
    recorded &+= other.recorded
    lost &+= other.lost
    shed &+= other.shed
    untracked &+= other.untracked
    entered &+= other.entered
    taken &+= other.taken
    begun_first &+= other.begun_first
    begun &+= other.begun
    ended_first &+= other.ended_first
    ended &+= other.ended
    rescued &+= other.rescued
    bare &+= other.bare
  }
}
