// SPDX-License-Identifier: Apache-2.0

import Model

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
  /// What to do here, where that is not what the cause says.
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
