// SPDX-License-Identifier: Apache-2.0

import Model

/// One line of the table of causes: what decides in the kernel, how its evidence is recognised,
/// what to tell.
package struct Cause: Sendable {
  /// The name that reports and scripts know; never changed once given.
  package let name: String
  /// Ids of the kernel checks that this cause stands for.
  package let sites: [String]
  /// The cause in one line, without a capital and a full stop.
  package let brief: String
  /// What the failing function or the verb can return for it.
  package let errnos: [Errno]
  /// The kernel's check: function and condition.
  package let check: String
  package let advice: [String]
  /// Kernel functions, commits, documents.
  package let references: [String]
  /// The evidence, or nil where it is not there.
  let find: @Sendable (Failure) -> Finding?

  init(
    _ name: String, sites: [String], brief: String, errnos: [Errno], check: String,
    advice: [String], references: [String],
    find: @escaping @Sendable (Failure) -> Finding?
  ) {
    self.name = name
    self.sites = sites
    self.brief = brief
    self.errnos = errnos
    self.check = check
    self.advice = advice
    self.references = references
    self.find = find
  }

  /// All causes that have a rule, in the order in which they are asked.
  package static let all: [Cause] =
    pteCauses + mappingCauses + sigbusCauses + faultCauses + pinCauses + verbCauses + mrCauses
    + umemCauses + dmaCauses + refusalCauses

  package static func named(_ name: String) -> Cause? { all.first { $0.name == name } }
}
