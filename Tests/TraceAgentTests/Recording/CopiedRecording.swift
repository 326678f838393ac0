// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Foundation
import Testing

@testable import Recording

/// The events of a recording written again: as if by another host, or in parts.
enum CopiedRecording {
  /// The same operations with the same threads and numbers, on another host half a second later.
  static func ofAnotherHost(_ source: String, at path: String) throws {
    let reader = try RecordingReader.open(source)
    var environment = reader.environment
    environment.hostname = "node2"
    environment.clockOffsetNs += 500_000_000
    try write(Array(reader.events()), environment, at: path)
  }

  /// As the recorder writes it: each part has the totals since the start of the run at its end.
  static func inParts(
    _ source: String, at path: String, count: Int,
    change: (inout RecordingEnvironment) -> Void = { _ in }
  ) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let reader = try RecordingReader.open(source)
    var events: [Event] = []
    var totals: [Event] = []
    for event in reader.events() {
      switch event {
      case .counter, .pages: totals.append(event)
      default: events.append(event)
      }
    }
    let size = (events.count + count - 1) / count
    let run = RecordingEnvironment.newRunUUID()
    for part in 1...count {
      var environment = reader.environment
      environment.runUUID = run
      environment.part = part
      environment.partEnd = part == count ? .end : .size
      var own = Array(events.dropFirst((part - 1) * size).prefix(size))
      environment.completeFromNs = part == 1 ? nil : own.first?.timeNs
      change(&environment)
      own += part == count ? totals : totals.map { $0.halved(at: own.last?.timeNs ?? 0) }
      try write(own, environment, at: "\(path)/\(RecordingParts.name(part))")
    }
  }

  private static func write(
    _ events: [Event], _ environment: RecordingEnvironment, at path: String
  ) throws {
    var environment = environment
    environment.formatMinor = RecordingEnvironment.formatMinor
    let writer = try RecordingWriter.create(at: path, environment: environment, packetSize: 4096)
    for event in events {
      #expect(SampleRecording.append(event, to: writer, cpu: Int(event.header.cpu)))
    }
    try writer.close(now: events.last?.timeNs ?? 0)
  }
}

extension Event {
  /// A total as it was when half of it was counted.
  fileprivate func halved(at timeNs: UInt64) -> Event {
    switch self {
    case .counter(var record):
      record.h.time_ns = timeNs
      record.counts.seen /= 2
      record.counts.failed /= 2
      record.counts.recorded /= 2
      return .counter(record)
    case .pages(var record):
      record.h.time_ns = timeNs
      record.pages /= 2
      return .pages(record)
    default: return self
    }
  }
}
