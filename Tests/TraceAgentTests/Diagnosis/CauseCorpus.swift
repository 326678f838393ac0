// SPDX-License-Identifier: Apache-2.0

import Model

/// Evidence that must lead to a cause, and its nearest neighbour that must not: what the tests of
/// the whole table stand on.
struct CorpusEntry: Sendable {
  var cause: String
  /// The kernel check, as in `Cause.sites`.
  var site: String
  var confidence: Diagnosis.Confidence
  var scene: Scene
  /// The same but for what decides.
  var neighbour: Scene

  init(
    _ cause: String, _ site: String, _ confidence: Diagnosis.Confidence, _ scene: Scene,
    neighbour: (inout Scene) -> Void
  ) {
    self.cause = cause
    self.site = site
    self.confidence = confidence
    self.scene = scene
    self.neighbour = scene.changed(neighbour)
  }

  /// Proved.
  init(_ cause: String, _ site: String, _ scene: Scene, neighbour: (inout Scene) -> Void) {
    self.init(cause, site, .proved, scene, neighbour: neighbour)
  }

  static let all =
    memoryEntries + faultEntries + backingEntries + pinEntries + verbEntries + umemEntries
    + refusalEntries
}

/// Kernel functions whose failure is recorded, by the group of hooks in which they can be missing.
enum Watched {
  static let driver = WatchedFunction.names(of: .driver)
  static let umem = WatchedFunction.names(of: .umem).union(WatchedFunction.names(of: .pin))
    .subtracting(pins)
  static let walks = WatchedFunction.names(of: .walk)
  static let ranges = WatchedFunction.names(of: .range)
  static let faults = WatchedFunction.names(of: .fault)
  static let pins: Set<String> = ["migrate_pages"]
  static let verbs = WatchedFunction.names(of: .verb)
  static let all = verbs.union(driver).union(umem).union(walks).union(ranges).union(faults)
    .union(pins)
}

extension Scene {
  /// `change` made to a scene, as an expression.
  static func make(
    _ kind: Operation.Kind, _ errno: Errno, on kernel: Kernel = .v61,
    _ change: (inout Scene) -> Void
  ) -> Scene {
    Scene(kind, errno, on: kernel).changed(change)
  }

  /// A file mapping of another file system than the usual.
  mutating func mapFile(
    _ filesystem: String, path: String, mode: UInt32 = 0o100644, fsdax: Bool = false,
    flags: VMAFlags = [.read, .write], size: UInt64 = 0x20_0000
  ) {
    map(.tmpfs, flags, size: size)
    let last = operation.mappings.count - 1
    operation.mappings[last].isFSDAX = fsdax
    operation.mappings[last].isHugeTLB = filesystem == "hugetlbfs"
    operation.mappings[last].file?.filesystem = filesystem
    operation.mappings[last].file?.path = path
    operation.mappings[last].file?.mode = mode
  }

  /// The last witness says why.
  mutating func error(_ errno: Errno) {
    operation.faults[operation.faults.count - 1].error = -errno.rawValue
  }

  mutating func removeFlags(_ flags: VMAFlags) {
    for index in operation.mappings.indices { operation.mappings[index].vmFlags &= ~flags.rawValue }
  }
}
