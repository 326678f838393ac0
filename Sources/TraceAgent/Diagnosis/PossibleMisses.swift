// SPDX-License-Identifier: Apache-2.0

import Model

/// Narrows down which of the functions that the kernel skipped runs of can have been run by one operation.
///
/// Runs are skipped for one task and not for another, and the counts do not say for which. But a verb runs nothing
/// that is not below it, and below ib_umem_odp_map_dma_and_lock() nothing runs where that was not called: its own
/// calls are seen by several programs at once, and the operation's record has the umem that they saw.
enum PossibleMisses {
  private static let map: FunctionName = "ib_umem_odp_map_dma_and_lock"

  /// Of `missed`, what `operation` may have run.
  static func of(
    _ operation: Operation, missed: MissedRuns, watched: Set<FunctionName>?
  ) -> Set<FunctionName> {
    let functions = missed.all
    guard !functions.isEmpty, operation.kindSeen else { return functions }
    let roots = operation.roots
    let missedMaps = operation.mapEntrySeen ? missed.joints : missed.returns
    let mapsNothing =
      operation.kind == .adviseMR && operation.umemIdentity == nil && operation.startNs != nil
      && !missedMaps.contains(map) && watched?.contains(map) ?? true
    return functions.filter { function in
      // What a page fault runs is not in the table.
      guard ErrnoFlow.byFunction[function] != nil else { return !mapsNothing }
      if mapsNothing, function == map || ErrnoFlow.isCaller(map, of: function) { return false }
      return roots.isEmpty || roots.contains(function)
        || roots.contains { ErrnoFlow.isCaller($0, of: function) }
    }
  }
}
