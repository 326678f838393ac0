// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Reads a Perfetto trace by the numbers of its .proto files, written apart from the encoder.
struct PerfettoReader {
  enum Field {
    case number(UInt64)
    case bytes(ArraySlice<UInt8>)

    var number: UInt64? { if case .number(let number) = self { number } else { nil } }
    var bytes: ArraySlice<UInt8>? { if case .bytes(let bytes) = self { bytes } else { nil } }
    var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
  }
  typealias Message = [Int: [Field]]

  struct Event {
    /// 1 begin, 2 end, 3 instant, 4 counter.
    var type: UInt64
    var time: UInt64
    var track: UInt64
    var name: String?
    var annotations: [String: [String]] = [:]
    var counter: Int64?
    var flows: [UInt64]
    var endedFlows: [UInt64]
  }

  struct Slice {
    var begin: Event
    var end: Event
    var depth: Int
  }

  private(set) var tracks: [UInt64: Message] = [:]
  /// In order of time, those of the same time as they stand in the file.
  private(set) var events: [Event] = []
  private(set) var clocks: [UInt64: UInt64] = [:]
  private var interned: [Int: [UInt64: String]] = [:]

  init(_ bytes: [UInt8]) throws {
    for packet in try Self.message(bytes[...])[1] ?? [] {
      try add(try Self.message(try #require(packet.bytes)))
    }
    events = events.enumerated()
      .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
  }

  private mutating func add(_ packet: Message) throws {
    for table in packet[12] ?? [] {
      for (number, entries) in try Self.message(try #require(table.bytes)) {
        for entry in entries {
          let entry = try Self.message(try #require(entry.bytes))
          let id = try #require(entry[1]?.first?.number)
          interned[number, default: [:]][id] = entry[2]?.first?.text
        }
      }
    }
    for descriptor in packet[60] ?? [] {
      let track = try Self.message(try #require(descriptor.bytes))
      let uuid = try #require(track[1]?.first?.number)
      #expect(tracks[uuid] == nil)
      tracks[uuid] = track
    }
    for snapshot in packet[6] ?? [] {
      for clock in try Self.message(try #require(snapshot.bytes))[1] ?? [] {
        let clock = try Self.message(try #require(clock.bytes))
        let id = try #require(clock[1]?.first?.number)
        clocks[id] = clock[2]?.first?.number
      }
    }
    for event in packet[11] ?? [] {
      events.append(
        try self.event(
          try Self.message(try #require(event.bytes)),
          time: try #require(packet[8]?.first?.number)))
    }
  }

  private func event(_ message: Message, time: UInt64) throws -> Event {
    let track = try #require(message[11]?.first?.number)
    #expect(tracks[track] != nil, "a track is described before its first event")
    var event = Event(
      type: try #require(message[9]?.first?.number), time: time, track: track,
      counter: message[30]?.first?.number.map { Int64(bitPattern: $0) },
      flows: (message[47] ?? []).compactMap(\.number),
      endedFlows: (message[48] ?? []).compactMap(\.number))
    if let number = message[10]?.first?.number { event.name = try #require(interned[2]?[number]) }
    for annotation in message[4] ?? [] {
      let annotation = try Self.message(try #require(annotation.bytes))
      let id = try #require(annotation[1]?.first?.number)
      let name = try #require(interned[3]?[id])
      let elements = try (annotation[12] ?? []).map { try Self.message(try #require($0.bytes)) }
      event.annotations[name] = (elements.isEmpty ? [annotation] : elements).compactMap(value)
    }
    return event
  }

  private func value(_ annotation: Message) -> String? {
    if let number = annotation[17]?.first?.number { return interned[29]?[number] }
    if let text = annotation[6]?.first?.text { return text }
    if let pointer = annotation[7]?.first?.number { return "0x" + String(pointer, radix: 16) }
    if let number = annotation[4]?.first?.number { return "\(Int64(bitPattern: number))" }
    return (annotation[3] ?? annotation[2])?.first?.number.map { "\($0)" }
  }

  /// Slices and instants; every end must be that of the slice begun last.
  func slices() throws -> [Slice] {
    var open: [UInt64: [Event]] = [:]
    var slices: [Slice] = []
    for event in events {
      switch event.type {
      case 1: open[event.track, default: []].append(event)
      case 2:
        let last = open[event.track]?.popLast()
        let begin = try #require(last, "an end needs a beginning")
        slices.append(Slice(begin: begin, end: event, depth: open[event.track]?.count ?? 0))
      case 3:
        slices.append(Slice(begin: event, end: event, depth: open[event.track]?.count ?? 0))
      default: break
      }
    }
    #expect(open.values.allSatisfy { $0.isEmpty }, "every slice has an end")
    return slices
  }

  /// Of the track's descriptor, or, where several recordings are told, the end of its name.
  func thread(of track: UInt64) -> UInt64? {
    tracks[track]?[4]?.first?.bytes.flatMap { try? Self.message($0) }?[2]?.first?.number
      ?? tracks[track]?[2]?.first?.text?.split(separator: " ").last.flatMap { UInt64($0) }
  }

  /// The outermost track that holds `track`.
  func root(of track: UInt64) -> UInt64? {
    var track = track
    for _ in 0..<8 {
      guard let parent = tracks[track]?[5]?.first?.number else { return track }
      track = parent
    }
    return nil
  }

  private static func message(_ bytes: ArraySlice<UInt8>) throws -> Message {
    var message: Message = [:]
    var at = bytes.startIndex
    func varint() throws -> UInt64 {
      var value: UInt64 = 0
      for shift in stride(from: UInt64(0), to: 70, by: 7) {
        try #require(at < bytes.endIndex)
        let byte = bytes[at]
        at += 1
        value |= UInt64(byte & 0x7f) << shift
        if byte < 0x80 { return value }
      }
      throw CocoaError(.fileReadCorruptFile)
    }
    while at < bytes.endIndex {
      let tag = try varint()
      let field: Field
      switch tag & 7 {
      case 0: field = .number(try varint())
      case 1:
        try #require(at + 8 <= bytes.endIndex)
        field = .number(bytes[at..<at + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) })
        at += 8
      default:
        try #require(tag & 7 == 2)
        let size = Int(try varint())
        try #require(at + size <= bytes.endIndex)
        field = .bytes(bytes[at..<at + size])
        at += size
      }
      message[Int(tag >> 3), default: []].append(field)
    }
    return message
  }
}
