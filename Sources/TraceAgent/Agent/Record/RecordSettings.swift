// SPDX-License-Identifier: Apache-2.0

import Kernel

/// What `record` is to do.
package struct RecordSettings: Sendable {
  /// How the run is stored.
  package enum Storage: Sendable {
    /// One recording.
    case whole
    /// In parts of about this many bytes; `keep`: the newest that stay, nil: all.
    case parts(size: Int, keep: Int?)
    /// The flight recorder: the newest `size` bytes in memory, written to parts when something fails.
    case ring(size: Int, keep: Int)
  }

  /// Parts of a flight recorder that stay, unless told otherwise.
  package static let keptParts = 10

  package var tracing: TracingSettings
  /// The recording's directory, which must not exist; nil: named by the time.
  package var output: String?
  package var storage = Storage.whole
  /// Seconds.
  package var duration: Double?
  package var detail = TracerSettings.Detail.operations
  package var faultCodes = false
  package var screen = ScreenChoice.auto
  /// No diagnosis at the end.
  package var isQuiet = false
  /// Where something is missing, the exit status says so.
  package var isStrict = false

  package init(tracing: TracingSettings) { self.tracing = tracing }

  var subject: TraceSubject { tracing.subject }

  var isFlightRecorder: Bool { if case .ring = storage { true } else { false } }

  func tracer(_ filter: OperationFilter) -> TracerSettings {
    var settings = tracing.tracer(
      filter, detail: detail, statistics: RecordScreen.isWanted(self))
    settings.faultCodes = faultCodes
    return settings
  }
}
