// SPDX-License-Identifier: Apache-2.0

import Kernel
import Model
import Recording

/// What all recordings of one run of `record` have in common, settled once: times of its parts can
/// be compared.
struct RunIdentity {
  let uuid = RecordingEnvironment.newRunUUID()
  let startWallNs = Clock.wall()
  let clockOffsetNs: Int64

  init() { clockOffsetNs = Int64(startWallNs) - Int64(Clock.monotonic()) }
}

extension RecordingEnvironment {
  /// What this run's recording says of itself.
  static func ofThisRun(
    _ run: RunIdentity, facts: KernelFacts, plan: HookPlan, sighting: Sighting, detail: String,
    commandLine: [String]
  ) -> RecordingEnvironment {
    var environment = RecordingEnvironment(
      toolVersion: MRTrace.version, traits: facts.traits, kernelVersion: facts.version,
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
        rung: row.rung.rawValue,
        note: row.target != row.hook.symbol
          ? "\(row.target): \(row.note)" : row.note.isEmpty ? nil : row.note)
    }
  }
}
