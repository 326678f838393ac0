// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Model
import Testing

extension Scene {
  var diagnosis: Diagnosis? { diagnose(operation, traits: traits) }

  /// The diagnosis names this cause, with this confidence and page.
  @discardableResult
  func expect(
    _ cause: String, _ confidence: Diagnosis.Confidence = .proved, page: UInt64? = nil,
    at location: SourceLocation = #_sourceLocation
  ) throws -> Diagnosis {
    let diagnosis = try #require(self.diagnosis, sourceLocation: location)
    #expect(diagnosis.cause == cause, "\(diagnosis.summary)", sourceLocation: location)
    #expect(diagnosis.confidence == confidence, sourceLocation: location)
    #expect(
      diagnosis.page?.address == page.map(Scene.page), sourceLocation: location)
    #expect(!diagnosis.advice.isEmpty, sourceLocation: location)
    #expect(!diagnosis.summary.contains("\n"), sourceLocation: location)
    return diagnosis
  }

  @discardableResult
  func expectUnknown(
    page: UInt64? = nil, at location: SourceLocation = #_sourceLocation
  ) throws -> Diagnosis {
    try expect("unknown", .unknown, page: page, at: location)
  }

  /// The scene with one thing changed.
  func changed(_ change: (inout Scene) -> Void) -> Scene {
    var copy = self
    change(&copy)
    return copy
  }
}

extension Diagnosis {
  /// "function result seen" from the deepest outward.
  var chainText: [String] { chain.map { "\($0.function) \($0.result) \($0.seen.rawValue)" } }
}
