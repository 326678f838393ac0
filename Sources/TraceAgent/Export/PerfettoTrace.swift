// SPDX-License-Identifier: Apache-2.0

/// Packets of a Perfetto trace: one sequence, whose names are interned.
struct PerfettoTrace {
  enum Value {
    case text(String)
    /// A text that comes again and again.
    case name(String)
    case texts([String])
    case number(UInt64)
    case signed(Int64)
    case pointer(UInt64)
    case flag(Bool)
  }

  /// One event of a track.
  struct Event {
    var type: Perfetto.EventType
    var timeNs: UInt64
    var track: UInt64
    var name: String?
    var categories: [String] = []
    var annotations: [(name: String, value: Value?)] = []
    var flow: UInt64?
    var terminatingFlow: UInt64?
    var counter: Int64?

    init(_ type: Perfetto.EventType, _ name: String? = nil, at timeNs: UInt64, on track: UInt64) {
      self.type = type
      self.name = name
      self.timeNs = timeNs
      self.track = track
    }
  }

  /// Texts that were given a number; bounded, later ones are written out each time.
  private struct Table {
    let field: Int
    private static let limit = 4096
    private var numbers: [String: UInt64] = [:]

    init(field: Int) { self.field = field }

    /// The number of `text`, defined in `interned` when it is new; nil where there is no room.
    mutating func number(_ text: String, _ interned: inout ProtobufMessage) -> UInt64? {
      if let number = numbers[text] { return number }
      guard numbers.count < Self.limit else { return nil }
      let number = UInt64(numbers.count + 1)
      numbers[text] = number
      interned.message(field) {
        $0.varint(Perfetto.Interned.id, number)
        $0.text(Perfetto.Interned.value, text)
      }
      return number
    }
  }

  private static let sequence: UInt64 = 1

  private let output: ByteOutput
  private var categories = Table(field: Perfetto.Interned.categories)
  private var names = Table(field: Perfetto.Interned.names)
  private var annotationNames = Table(field: Perfetto.Interned.annotationNames)
  private var texts = Table(field: Perfetto.Interned.texts)

  init(_ output: ByteOutput) { self.output = output }

  /// Added to the time of each event: what makes its clock the trace's.
  var shiftNs: Int64 = 0

  /// The first packet of the sequence: times are of `clock`.
  func start(clock: UInt64) {
    packet { packet in
      packet.varint(
        Perfetto.Packet.sequenceFlags, Perfetto.SequenceFlags.incrementalStateCleared)
      packet.varint(Perfetto.Packet.firstOnSequence, 1)
      packet.message(Perfetto.Packet.defaults) {
        $0.varint(Perfetto.Defaults.timestampClock, clock)
      }
    }
  }

  /// In order as before; what does not fit (a broken recording) is the first or the last time.
  private func shifted(_ timeNs: UInt64) -> UInt64 {
    if shiftNs == 0 { return timeNs }
    let (sum, overflow) =
      shiftNs < 0
      ? timeNs.subtractingReportingOverflow(shiftNs.magnitude)
      : timeNs.addingReportingOverflow(shiftNs.magnitude)
    return overflow ? (shiftNs < 0 ? 0 : .max) : sum
  }

  func packet(_ fill: (inout ProtobufMessage) -> Void) {
    var packet = ProtobufMessage()
    fill(&packet)
    packet.varint(Perfetto.Packet.sequenceID, Self.sequence)
    var trace = ProtobufMessage()
    trace.message(Perfetto.packet, packet)
    output.append(trace.bytes)
  }

  mutating func add(_ event: Event) {
    var interned = ProtobufMessage()
    var message = ProtobufMessage()
    message.varint(Perfetto.Event.type, event.type.rawValue)
    message.varint(Perfetto.Event.track, event.track)
    for category in event.categories {
      guard let number = categories.number(category, &interned) else { continue }
      message.varint(Perfetto.Event.categories, number)
    }
    if let name = event.name {
      if let number = names.number(name, &interned) {
        message.varint(Perfetto.Event.name, number)
      } else {
        message.text(Perfetto.Event.inlineName, name)
      }
    }
    for (name, value) in event.annotations {
      guard let value, let number = annotationNames.number(name, &interned) else { continue }
      message.message(Perfetto.Event.annotations) {
        $0.varint(Perfetto.Annotation.name, number)
        put(value, into: &$0, &interned)
      }
    }
    if let value = event.counter { message.signed(Perfetto.Event.counterValue, value) }
    if let flow = event.flow { message.fixed64(Perfetto.Event.flows, flow) }
    if let flow = event.terminatingFlow { message.fixed64(Perfetto.Event.terminatingFlows, flow) }
    packet { packet in
      packet.varint(Perfetto.Packet.timestamp, shifted(event.timeNs))
      packet.varint(Perfetto.Packet.sequenceFlags, Perfetto.SequenceFlags.needsIncrementalState)
      if !interned.bytes.isEmpty { packet.message(Perfetto.Packet.internedData, interned) }
      packet.message(Perfetto.Packet.trackEvent, message)
    }
  }

  private mutating func put(
    _ value: Value, into annotation: inout ProtobufMessage, _ interned: inout ProtobufMessage
  ) {
    switch value {
    case .text(let text): annotation.text(Perfetto.Annotation.text, text)
    case .name(let text):
      if let number = texts.number(text, &interned) {
        annotation.varint(Perfetto.Annotation.internedText, number)
      } else {
        annotation.text(Perfetto.Annotation.text, text)
      }
    case .texts(let texts):
      for text in texts {
        annotation.message(Perfetto.Annotation.elements) { put(.name(text), into: &$0, &interned) }
      }
    case .number(let number): annotation.varint(Perfetto.Annotation.unsigned, number)
    case .signed(let number): annotation.signed(Perfetto.Annotation.signed, number)
    case .pointer(let address): annotation.varint(Perfetto.Annotation.pointer, address)
    case .flag(let flag): annotation.varint(Perfetto.Annotation.flag, flag ? 1 : 0)
    }
  }
}
