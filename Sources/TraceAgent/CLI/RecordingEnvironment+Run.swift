// SPDX-License-Identifier: Apache-2.0

import Kernel
import Model
import Recording

extension RecordingEnvironment {
  /// What this run's recording says of itself.
  static func ofThisRun(
    facts: KernelFacts, plan: HookPlan, detail: String, commandLine: [String]
  ) -> RecordingEnvironment {
    let wall = Clock.wall()
    let monotonic = Clock.monotonic()
    return RecordingEnvironment(
      toolVersion: MRTrace.version, traits: facts.traits, kernelVersion: facts.version,
      buildID: facts.buildID, hostname: facts.hostname, commandLine: commandLine, detail: detail,
      hookPlan: hooks(of: plan), clockOffsetNs: Int64(wall) - Int64(monotonic), startWallNs: wall)
  }

  /// What is attached first: where two symbols share a number, it is the one that names it.
  private static func hooks(of plan: HookPlan) -> [PlannedHook] {
    let rows = plan.rows.filter(\.isAttached) + plan.rows.filter { !$0.isAttached }
    return rows.map { row in
      PlannedHook(
        hook: row.hook.id.rawValue, symbol: row.hook.symbol, module: row.module,
        rung: row.rung.rawValue,
        note: row.target != row.hook.symbol
          ? "\(row.target): \(row.note)" : row.note.isEmpty ? nil : row.note)
    }
  }
}
