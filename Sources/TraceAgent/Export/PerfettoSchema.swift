// SPDX-License-Identifier: Apache-2.0

/// Field numbers of perfetto/trace/trace_packet.proto and what it includes, as far as used here.
enum Perfetto {
  static let packet = 1  // of Trace

  enum Packet {
    static let clockSnapshot = 6
    static let timestamp = 8
    static let sequenceID = 10
    static let trackEvent = 11
    static let internedData = 12
    static let sequenceFlags = 13
    static let systemInfo = 45
    static let defaults = 59
    static let trackDescriptor = 60
    static let firstOnSequence = 87
  }
  enum SequenceFlags {
    static let incrementalStateCleared: UInt64 = 1
    static let needsIncrementalState: UInt64 = 2
  }
  enum Defaults { static let timestampClock = 58 }
  enum ClockSnapshot {
    static let clocks = 1
    static let primary = 2
    static let clockID = 1  // of Clock
    static let timestamp = 2
  }
  enum Clock {
    static let realtime: UInt64 = 1
    static let monotonic: UInt64 = 3
  }
  enum SystemInfo { static let utsname = 1 }
  enum Utsname {
    static let sysname = 1
    static let version = 2
    static let release = 3
    static let machine = 4
  }
  enum Track {
    static let uuid = 1
    static let name = 2
    static let process = 3
    static let thread = 4
    static let parent = 5
    static let counter = 8
  }
  enum Process {
    static let pid = 1
    static let name = 6
  }
  enum Thread {
    static let pid = 1
    static let tid = 2
    static let name = 5
  }
  enum Counter { static let unitName = 6 }
  enum Event {
    static let categories = 3
    static let annotations = 4
    static let type = 9
    static let name = 10
    static let track = 11
    static let inlineName = 23
    static let counterValue = 30
    static let flows = 47
    static let terminatingFlows = 48
  }
  enum EventType: UInt64 {
    case begin = 1
    case end = 2
    case instant = 3
    case counter = 4
  }
  enum Annotation {
    static let name = 1
    static let flag = 2
    static let unsigned = 3
    static let signed = 4
    static let text = 6
    static let pointer = 7
    static let elements = 12
    static let internedText = 17
  }
  enum Interned {
    static let categories = 1
    static let names = 2
    static let annotationNames = 3
    static let texts = 29
    static let id = 1  // of each of them
    static let value = 2
  }
}
