// SPDX-License-Identifier: Apache-2.0

/// A protobuf message in the making: the few parts of the wire format that a trace needs.
struct ProtobufMessage {
  private(set) var bytes: [UInt8] = []

  mutating func varint(_ field: Int, _ value: UInt64) {
    tag(field, wireType: 0)
    put(value)
  }

  /// int32 and int64: a negative number takes ten bytes.
  mutating func signed(_ field: Int, _ value: Int64) { varint(field, UInt64(bitPattern: value)) }

  mutating func fixed64(_ field: Int, _ value: UInt64) {
    tag(field, wireType: 1)
    for shift in stride(from: 0, to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
    }
  }

  mutating func text(_ field: Int, _ value: String) {
    tag(field, wireType: 2)
    put(UInt64(value.utf8.count))
    bytes.append(contentsOf: value.utf8)
  }

  mutating func message(_ field: Int, _ message: ProtobufMessage) {
    tag(field, wireType: 2)
    put(UInt64(message.bytes.count))
    bytes.append(contentsOf: message.bytes)
  }

  mutating func message(_ field: Int, _ fill: (inout ProtobufMessage) -> Void) {
    var message = ProtobufMessage()
    fill(&message)
    self.message(field, message)
  }

  private mutating func tag(_ field: Int, wireType: UInt64) {
    put(UInt64(field) << 3 | wireType)
  }

  private mutating func put(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
