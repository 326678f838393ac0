// SPDX-License-Identifier: Apache-2.0

/// `doctor --json`: one object on one line.
package enum DoctorJSON {
  package static func line(_ report: DoctorReport) -> String {
    var kernel = JSONObject()
    kernel.add("release", report.release)
    kernel.add("machine", report.machine)
    var object = JSONObject()
    object.add("status", report.status.rawValue)
    object.add("verdict", report.verdict)
    object.add("kernel", .object(kernel))
    object.add("checks", .array(report.checks.map(check)))
    object.add("hooks", .array(report.hooks.map(hook)))
    object.add("devices", .array(report.devices.map(device)))
    object.add("mounts", .array(report.mounts.map(mount)))
    return JSON.object(object).line
  }

  private static func check(_ check: DoctorReport.Check) -> JSON {
    var object = JSONObject()
    object.add("id", check.id)
    object.add("name", check.name)
    object.add("status", check.status.rawValue)
    object.add("detail", check.detail)
    object.add("fix", check.fix)
    return .object(object)
  }

  private static func hook(_ hook: DoctorReport.Hook) -> JSON {
    var object = JSONObject()
    object.add("hook", hook.hook)
    object.add("purpose", hook.purpose)
    object.add("symbol", hook.symbol)
    object.add("module", hook.module)
    object.add("rung", hook.rung.rawValue)
    if !hook.note.isEmpty { object.add("note", hook.note) }
    return .object(object)
  }

  private static func device(_ device: DoctorReport.Device) -> JSON {
    var object = JSONObject()
    object.add("name", device.name)
    object.add("driver", device.driver)
    object.add("odp", device.odp.rawValue)
    if !device.detail.isEmpty { object.add("detail", device.detail) }
    if let implicit = device.implicitODP { object.add("implicit_odp", .bool(implicit)) }
    if !device.transports.isEmpty {
      var transports = JSONObject()
      for transport in device.transports {
        transports.add(
          transport.name.lowercased(), .array(transport.operations.map { .string($0) }))
      }
      object.add("transports", .object(transports))
    }
    return .object(object)
  }

  private static func mount(_ mount: DoctorReport.Mount) -> JSON {
    var object = JSONObject()
    object.add("device", mount.device)
    object.add("mountpoint", mount.mountPoint)
    object.add("filesystem", mount.filesystem)
    object.add("dax", mount.dax.rawValue)
    object.add("option", mount.option)
    if !mount.detail.isEmpty { object.add("detail", mount.detail) }
    return .object(object)
  }
}
