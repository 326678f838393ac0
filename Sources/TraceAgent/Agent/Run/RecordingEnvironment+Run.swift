// SPDX-License-Identifier: Apache-2.0

import Kernel
import Recording

extension RecordingEnvironment {
  /// What this run's recording says of itself.
  static func ofThisRun(
    _ run: RunIdentity, facts: KernelFacts, plan: HookPlan, sighting: Sighting, detail: String,
    commandLine: [String]
  ) -> RecordingEnvironment {
    var environment = RecordingEnvironment(
      toolVersion: Version.current, traits: facts.traits, kernelVersion: facts.version,
      buildID: facts.buildID, hostname: facts.hostname, commandLine: commandLine, detail: detail,
      hookPlan: hooks(of: plan), clockOffsetNs: run.clockOffsetNs, startWallNs: run.startWallNs)
    environment.runUUID = run.uuid
    environment.devices = sighting.devices
    environment.unwatched = sighting.unwatched
    return environment
  }

  /// What is attached first: where two symbols share a number, it is the one that names it.
  private static func hooks(of plan: HookPlan) -> [PlannedHook] {
    let rows = plan.rows.filter(\.isAttached) + plan.rows.filter { !$0.isAttached }
    return rows.map { row in
      PlannedHook(
        hook: row.hook.id.rawValue, symbol: row.hook.symbol, module: row.module,
        rung: row.rung,
        note: row.target != row.hook.symbol
          ? "\(row.target): \(row.note)" : row.note.isEmpty ? nil : row.note)
    }
  }
}
