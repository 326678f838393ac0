// SPDX-License-Identifier: Apache-2.0

import Model

/// One check in the kernel that can end an operation: what stands behind a cause's `sites`.
package struct Site: Equatable, Sendable {
  package enum Stage: String, CaseIterable, Sendable {
    case registration, prefetch
    case pageFault = "page fault"
  }

  /// A letter for the layer (V verb and driver, U umem, H HMM and page faults, P pin, Q not about memory) and a number.
  package let id: String
  /// Which operations come by.
  package let stages: [Stage]
  package let errnos: [Errno]
  /// The kernels that have it; empty: all from 5.10 on.
  package let kernels: String
  /// Function and condition.
  package let check: String
  /// What is looked at to tell this check from others with the same errno.
  package let evidence: String

  init(
    _ id: String, _ stages: [Stage], _ errnos: [Errno], kernels: String = "", check: String,
    evidence: String
  ) {
    self.id = id
    self.stages = stages
    self.errnos = errnos
    self.kernels = kernels
    self.check = check
    self.evidence = evidence
  }

  package static let all: [Site] = verbSites + umemSites + hmmSites + pinSites + refusalSites

  package static func named(_ id: String) -> Site? { all.first { $0.id == id } }
}

extension Cause {
  /// The rows of its checks.
  package var siteRows: [Site] { sites.compactMap(Site.named) }

  /// The operations in which it can end with `errno`, or with any.
  package func stages(errno: Errno? = nil) -> [Site.Stage] {
    var rows = siteRows
    if let errno { rows.removeAll { !$0.errnos.contains(errno) } }
    return Site.Stage.allCases.filter { stage in rows.contains { $0.stages.contains(stage) } }
  }
}
