// SPDX-License-Identifier: Apache-2.0

import Kernel
import Terminal

/// What the monitor says of itself.
enum MonitorText {
  static func lines(_ changes: FollowedGroups.Changes) -> [String] {
    changes.gone.map { "control group \($0) has gone: it is watched when it comes back" }
      + changes.came.map { "control group \($0) has come, a second ago at most, and is watched" }
  }

  static func lines(_ changes: ModuleChanges) -> [String] {
    let came = Set(changes.came.map(\.module))
    let gone = changes.left.filter { !came.contains($0) }.map { "module \($0) has been unloaded" }
    return gone
      + changes.came.map { module in
        var text = "module \(module.module): \(Quantity.count(module.hooks, "hook")) attached"
        if let from = module.fromNs {
          text += "; not watched for \(Quantity.duration(nanoseconds: module.toNs &- from)) at most"
        }
        return text
      }
  }
}
