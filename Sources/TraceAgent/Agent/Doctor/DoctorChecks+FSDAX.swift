// SPDX-License-Identifier: Apache-2.0

import Kernel
import Model
import Terminal

extension DoctorChecks {
  /// A mount that wants DAX and does not have it, or not all of it.
  static func fsdax(
    _ mounts: [(mount: DAXMount, files: DAXFiles)], release: String
  ) -> Check {
    let name = "fsdax mounts"
    if mounts.isEmpty { return .init(name: name, status: .ok, detail: "none") }
    var problems: [String] = []
    for (mount, files) in mounts {
      problems += files.obstacles(to: mount, release: release).map { "\(mount.mountPoint): \($0)" }
      if mount.dax == .yes, files.looked > 0, files.direct == 0 {
        problems.append(
          "\(mount.mountPoint): mounted with \(mount.option), but its files are not DAX")
      }
    }
    guard problems.isEmpty else {
      return .init(
        name: name, status: .info, detail: problems.joined(separator: "; "), fix: fix(of: mounts))
    }
    let direct = mounts.filter { isDirect($0.mount, $0.files) == .yes }.map(\.mount.mountPoint)
    return .init(
      name: name, status: .ok,
      detail: direct.isEmpty
        ? "\(mounts.count), each file decides" : "\(direct.joined(separator: ", ")) is DAX")
  }

  private static func fix(of mounts: [(mount: DAXMount, files: DAXFiles)]) -> String? {
    if let mount = mounts.first(where: { $0.mount.deviceHasDAX == false })?.mount {
      let device = mount.device.split(separator: "/").last.map(String.init) ?? mount.device
      return
        "ndctl list -N shows the namespace of \(device); ndctl create-namespace -f -e NAMESPACE "
        + "-m fsdax makes it DAX and erases it"
    }
    if let mount = mounts.first(where: { $0.mount.option == "dax=never" })?.mount {
      return "sudo umount \(mount.mountPoint), then mount it with -o dax=always"
    }
    return nil
  }

  /// What the files show goes before what the options say.
  static func isDirect(_ mount: DAXMount, _ files: DAXFiles) -> DoctorReport.Answer {
    if files.looked > 0, files.direct == files.looked { return .yes }
    if files.looked > 0, files.direct == 0 {
      // by file: another one may be
      return mount.dax == .perFile ? .unknown : .no
    }
    switch mount.dax {
    case .yes: return .yes
    case .no: return .no
    case .perFile: return .unknown
    }
  }

  static let bugName = "2021 fsdax bug"

  /// The fix leaves no trace in symbols. `said`: a kernel that was built to have the bug says so
  /// itself (lab/fsdax-2021), which is evidence; else it is by release, and says so.
  static func knownBug(hasDevmapBit: Bool, stable: KernelRelease?, said: String?) -> Check {
    if said == "broken" {
      return .init(
        name: bugName, status: .warn,
        detail: "this kernel has it (hmm.fsdax_2021=broken): on-demand fsdax memory fails",
        fix: "echo fixed | sudo tee /sys/module/hmm/parameters/fsdax_2021")
    }
    if said == "fixed" {
      return .init(name: bugName, status: .ok, detail: "switched off (hmm.fsdax_2021=fixed)")
    }
    guard hasDevmapBit else {
      return .init(name: bugName, status: .ok, detail: "cannot occur: no DEVMAP bit in this kernel")
    }
    guard let stable else {
      return .init(name: bugName, status: .info, detail: "not told by the release; named when met")
    }
    guard isAffected(stable) else {
      return .init(
        name: bugName, status: .info,
        detail: "fixed by release number; a kernel that has it all the same is told by its failures"
      )
    }
    return .init(
      name: bugName, status: .warn,
      detail:
        "\(stable) is older than the fix \(DevmapFix.commit): on-demand fsdax memory may fail",
      fix: "update to \(DevmapFix.releases.joined(separator: ", ")) or later")
  }

  static func isAffected(_ release: KernelRelease) -> Bool {
    switch DevmapFix.series(of: release) {
    case .always, .older: false
    case .never: true
    // Patch level 0 is as often a distribution's way to number as 5.10 itself.
    case .from(let fixed): release.patch < fixed && release != KernelRelease(5, 10)
    }
  }
}
