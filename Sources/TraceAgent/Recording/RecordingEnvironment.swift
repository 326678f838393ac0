// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model

/// What a recording says of itself and of the machine it was made on: the environment block of its
/// metadata.
package struct RecordingEnvironment: Equatable, Sendable {
  /// One hook: what was to be watched, and how it is.
  package struct PlannedHook: Equatable, Sendable {
    /// enum mrt_hook.
    package var hook: UInt32
    /// The symbol as kallsyms has it, compiler's suffix included.
    package var symbol: String
    /// nil: vmlinux.
    package var module: String?
    /// How it is attached, in the words of ``Rung`` or of a later version.
    package var rungName: String
    package var note: String?

    /// nil: a word of another version.
    package var rung: Rung? { Rung(rawValue: rungName) }

    package init(
      hook: UInt32, symbol: String, module: String? = nil, rung: Rung, note: String? = nil
    ) {
      self.init(hook: hook, symbol: symbol, module: module, rungName: rung.rawValue, note: note)
    }

    package init(
      hook: UInt32, symbol: String, module: String? = nil, rungName: String, note: String? = nil
    ) {
      self.hook = hook
      self.symbol = symbol
      self.module = module
      self.rungName = rungName
      self.note = note
    }
  }

  /// A module was unloaded and came back, or came while the run was on and was in use before it was hooked: its functions were
  /// not watched for a while.
  package struct UnwatchedModule: Equatable, Sendable {
    package var module: String
    /// CLOCK_MONOTONIC, ns: when its hooks were last seen, and when they were there again.
    package var fromNs: UInt64
    package var toNs: UInt64
    /// It was not there before.
    package var isFirst: Bool
    package init(module: String, fromNs: UInt64, toNs: UInt64, isFirst: Bool = false) {
      self.module = module
      self.fromNs = fromNs
      self.toNs = toNs
      self.isFirst = isFirst
    }
  }

  /// The format this version writes.
  package static let formatMajor = Int(MRT_FORMAT_MAJOR)
  package static let formatMinor = Int(MRT_FORMAT_MINOR)

  /// Of the recording: as written by the version that made it.
  package var formatMajor = Self.formatMajor
  package var formatMinor = Self.formatMinor
  package var toolVersion: String
  /// With the kernel's release and machine (`uname -r`, `-m`).
  package var traits: KernelTraits
  /// `uname -v`.
  package var kernelVersion: String
  /// The kernel's GNU build id, lower-case hexadecimal.
  package var buildID: String?
  package var hostname: String
  /// mrtrace's own arguments, the name it was called by first.
  package var commandLine: [String]
  /// "failures", "operations", …
  package var detail: String
  package var hookPlan: [PlannedHook]
  /// CLOCK_REALTIME − CLOCK_MONOTONIC when the recording began, ns.
  package var clockOffsetNs: Int64
  /// CLOCK_REALTIME when the recording began, ns since 1970.
  package var startWallNs: UInt64
  /// The same in all parts of one run of `record`, and in no other recording; nil before format 1.2.
  package var runUUID: String?
  /// 1, 2, …: this recording is one part of its run; nil: it is all of it.
  package var part: Int?
  /// Why this part ended.
  package var partEnd: PartEnd?
  /// CLOCK_MONOTONIC, ns: everything from then on is in the recording, or counted as lost. Of an
  /// operation that began before, evidence may be missing. nil: from the start.
  package var completeFromNs: UInt64?

  /// Records that the flight recorder had no room for, since the run began: neither lost nor
  /// recorded.
  package var overwritten: UInt64?
  /// In the time that this recording tells of.
  package var unwatched: [UnwatchedModule] = []
  /// RDMA devices that were there while it ran; empty before format 1.4.
  package var devices: [Sight.Device] = []

  /// What made the recorder begin another part.
  package enum PartEnd: String, Sendable {
    /// The recording grew to its size: the next part goes on where this one ends.
    case size
    /// What the flight recorder held when an operation failed, and when it was told to write it.
    case failure, signal
    /// The run ended.
    case end
  }

  /// An identity for a run.
  package static func newRunUUID() -> String { TraceUUID.random().text }

  package init(
    toolVersion: String, traits: KernelTraits, kernelVersion: String, buildID: String? = nil,
    hostname: String, commandLine: [String], detail: String, hookPlan: [PlannedHook],
    clockOffsetNs: Int64, startWallNs: UInt64
  ) {
    self.toolVersion = toolVersion
    self.traits = traits
    self.kernelVersion = kernelVersion
    self.buildID = buildID
    self.hostname = hostname
    self.commandLine = commandLine
    self.detail = detail
    self.hookPlan = hookPlan
    self.clockOffsetNs = clockOffsetNs
    self.startWallNs = startWallNs
  }

  /// Metadata and packets have checksums since format 1.2.
  var hasChecksums: Bool { (formatMajor, formatMinor) >= (1, 2) }

  package var kernelRelease: String { traits.release }
  package var machine: String { traits.machine }

  /// What its hooks let be seen.
  package var sight: Sight {
    Sight(
      hooks: hookPlan.map { Sight.Hook($0.symbol, rung: $0.rung, note: $0.note) },
      devices: devices)
  }

  /// Function names of the hooks of this recording.
  package var hookNames: HookNames {
    HookNames(
      symbols: Dictionary(
        hookPlan.map { ($0.hook, $0.symbol) }, uniquingKeysWith: { first, _ in first }))
  }
}
