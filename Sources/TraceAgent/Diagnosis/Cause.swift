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
  package let errnos: [String]
  /// The kernel's check: function and condition.
  package let check: String
  package let advice: [String]
  /// Kernel functions, commits, documents.
  package let references: [String]
  /// The evidence, or nil where it is not there.
  let find: @Sendable (Case) -> Finding?

  init(
    _ name: String, sites: [String], brief: String, errnos: [String], check: String,
    advice: [String], references: [String],
    find: @escaping @Sendable (Case) -> Finding?
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
    + umemCauses + dmaCauses

  package static func named(_ name: String) -> Cause? { all.first { $0.name == name } }
}

/// What a rule found.
struct Finding: Sendable {
  var confidence: Diagnosis.Confidence
  /// The failing page's address.
  var page: UInt64?
  /// Ends the sentence "reg_mr failed with EFAULT: …", no full stop.
  var because: String
  /// Links deeper than everything that was seen to fail.
  var links: [Diagnosis.Link] = []
  /// What a rule of the kernel rejected, where one did.
  var rejected: Rejected?
  /// What to do, where the evidence tells more than the cause; nil: the cause's advice.
  var advice: [String]?

  init(
    _ confidence: Diagnosis.Confidence, page: UInt64? = nil, because: String,
    links: [Diagnosis.Link] = [], rejected: Rejected? = nil, advice: [String]? = nil
  ) {
    self.confidence = confidence
    self.page = page
    self.because = because
    self.links = links
    self.rejected = rejected
    self.advice = advice
  }
}
