// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model

/// The `metadata` file: CTF 1.8 text that describes the bytes of events.h to any reader.
enum CTFMetadata {
  /// The whole text. `uuid` is the trace's, also in every packet.
  static func text(of environment: RecordingEnvironment, uuid: TraceUUID) -> String {
    var fields = environment.fields
    fields.set("trace_uuid", uuid.text)
    let text = [
      "\(TSDLText.signature) */\n",
      types,
      enumerations(of: environment),
      """
      trace {
      \tmajor = 1;
      \tminor = 8;
      \tuuid = "\(uuid.text)";
      \tbyte_order = le;
      \tpacket.header := struct {
      \t\tu32x magic;
      \t\tu8 uuid[16];
      \t\tu32 stream_id;
      \t};
      };

      """,
      TSDLText.block(fields),
      clock(offsetNs: environment.clockOffsetNs),
      stream,
      CTFEvents.text,
    ].joined(separator: "\n")
    return MetadataChecksum.seal(text)
  }

  /// Everything is packed: events.h pads by hand.
  private static let types = """
    typealias integer { size = 8; align = 8; signed = false; } := u8;
    typealias integer { size = 32; align = 8; signed = false; } := u32;
    typealias integer { size = 64; align = 8; signed = false; } := u64;
    typealias integer { size = 32; align = 8; signed = true; } := s32;
    typealias integer { size = 64; align = 8; signed = true; } := s64;
    typealias integer { size = 32; align = 8; signed = false; base = 16; } := u32x;
    typealias integer { size = 64; align = 8; signed = false; base = 16; } := u64x;
    typealias integer { size = 8; align = 8; signed = false; encoding = UTF8; } := text;

    """

  /// Numbers to names; also the page-table flags of this kernel, for whoever reads raw entries.
  private static func enumerations(of environment: RecordingEnvironment) -> String {
    let names = environment.hookNames
    let hooks = HookNames.usual.keys.union(environment.hookPlan.map(\.hook)).sorted()
    return [
      enumeration("hook", "u32", [("none", 0)] + hooks.map { (names[$0], UInt64($0)) }),
      enumeration("result", "s64", errnos + ["\"success\" = 0 ... 9223372036854775807"]),
      enumeration("page_flag", "u64x", PageFlagNames.of(environment.traits.pageTables)),
      CTFEvents.enumerations,
    ].joined()
  }

  private static let errnos: [String] = (1...Int32(4095)).reversed().compactMap { number in
    let name = Errno(rawValue: number).description
    return name.hasPrefix("errno ") ? nil : "\"\(name)\" = -\(number)"
  }

  static func enumeration(
    _ name: String, _ type: String, _ values: [(name: String, value: UInt64)]
  ) -> String {
    enumeration(name, type, values.map { "\(TSDLText.literal($0.name)) = \($0.value)" })
  }

  private static func enumeration(_ name: String, _ type: String, _ lines: [String]) -> String {
    "enum \(name) : \(type) {\n" + lines.map { "\t\($0),\n" }.joined() + "};\n\n"
  }

  /// Timestamps are CLOCK_MONOTONIC; the offset makes wall time of them.
  private static func clock(offsetNs: Int64) -> String {
    let second: Int64 = 1_000_000_000
    // CTF wants the nanoseconds of the offset not negative.
    let ns = (offsetNs % second + second) % second
    return """
      clock {
      \tname = monotonic;
      \tdescription = "CLOCK_MONOTONIC";
      \tfreq = \(second);
      \toffset_s = \((offsetNs - ns) / second);
      \toffset = \(ns);
      };

      typealias integer {
      \tsize = 64; align = 8; signed = false;
      \tmap = clock.monotonic.value;
      } := monotonic_ns;

      """
  }

  /// In step with PacketHeader and with mrt_header, whose `size` stands in the context: readers
  /// take a field of the event header that CTF does not know for a mistake.
  private static let stream = """
    stream {
    \tid = 0;
    \tpacket.context := struct {
    \t\tmonotonic_ns timestamp_begin;
    \t\tmonotonic_ns timestamp_end;
    \t\tu64 content_size;
    \t\tu64 packet_size;
    \t\tu64 events_discarded;
    \t\tu64 packet_seq_num;
    \t\tu64 records_clamped;
    \t\tu32 records;
    \t\tu32 cpu_id;
    \t\tu32x records_crc32c;
    \t\tu32x header_crc32c;
    \t};
    \tevent.header := struct {
    \t\tmonotonic_ns timestamp;
    \t\tu32 id;
    \t};
    \tevent.context := struct {
    \t\tu32 size;
    \t\tu64 operation;
    \t\tu32 pid;
    \t\tu32 tid;
    \t\tu32 cpu;
    \t\tenum hook hook;
    \t};
    };

    """
}

extension Dictionary<UInt32, String>.Keys {
  fileprivate func union(_ others: some Sequence<UInt32>) -> Set<UInt32> {
    Set(self).union(others)
  }
}
