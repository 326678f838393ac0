// SPDX-License-Identifier: Apache-2.0

import Model

/// `doctor` for a person.
package enum DoctorText {
  /// Ends with a newline.
  package static func render(_ report: DoctorReport, style: Style) -> String {
    var block = TextBlock(style: style)
    block.prose([
      .word(label(report.status), role(report.status)), Span(report.verdict, .heading),
    ])
    block.prose("kernel \(report.release), \(report.machine)")
    checks(report.checks, into: &block)
    hooks(report.hooks, into: &block)
    devices(report.devices, into: &block)
    mounts(report.mounts, into: &block)
    return block.text
  }

  private static func label(_ status: DoctorReport.Status) -> String {
    switch status {
    case .ok: "ok:"
    case .warn: "warning:"
    case .fail: "cannot record:"
    case .info: "note:"
    }
  }

  private static func role(_ status: DoctorReport.Status) -> Style.Role? {
    switch status {
    case .ok: .good
    case .warn: .warning
    case .fail: .bad
    case .info: nil
    }
  }

  private static func title(_ text: String, _ block: inout TextBlock) {
    block.blank()
    block.line([Span(text, .heading)])
  }

  private static func checks(_ checks: [DoctorReport.Check], into block: inout TextBlock) {
    guard !checks.isEmpty else { return }
    title("Checks", &block)
    var table = TextTable([.init("status"), .init("check"), .init("found")])
    for check in checks {
      table.add([
        Span(check.status.rawValue, role(check.status)), Span(check.name), Span(check.detail),
      ])
    }
    block.table(table, indent: 2)
    let mendable = checks.filter { $0.fix != nil }
    guard !mendable.isEmpty else { return }
    title("To mend", &block)
    for check in mendable {
      block.prose("\(check.name):", indent: 2)
      // One line whatever its length: it is to be copied.
      if let fix = check.fix { block.line([.word(fix, .accent)], indent: 4) }
    }
  }

  private static func hooks(_ hooks: [DoctorReport.Hook], into block: inout TextBlock) {
    guard !hooks.isEmpty else { return }
    title("Hooks", &block)
    var table = TextTable([
      .init("function"), .init("how"), .init("module"), .init("for"),
    ])
    for hook in hooks {
      var about = hook.purpose
      // The symbol is news only where it is another one than the function.
      if let symbol = hook.symbol, symbol != hook.hook { about += "; on \(symbol)" }
      if !hook.note.isEmpty { about += "; \(hook.note)" }
      table.add([
        Span(hook.hook), Span(hook.rung.rawValue, role(hook.rung)), Span(hook.module ?? ""),
        Span(about),
      ])
    }
    block.table(table, indent: 2)
  }

  private static func role(_ rung: Rung) -> Style.Role? {
    switch rung {
    case .fexit, .kprobe, .tracepoint: .good
    case .replay, .later: .warning
    case .off, .absent, .noHook: .dim
    }
  }

  private static func devices(_ devices: [DoctorReport.Device], into block: inout TextBlock) {
    title("RDMA devices", &block)
    guard !devices.isEmpty else {
      block.prose("none", indent: 2)
      return
    }
    var table = TextTable([
      .init("device"), .init("driver"), .init("on-demand paging"), .init("detail"),
    ])
    for device in devices {
      table.add([
        Span(device.name), Span(device.driver ?? ""), answer(device.odp), Span(device.detail),
      ])
    }
    block.table(table, indent: 2)
  }

  private static func mounts(_ mounts: [DoctorReport.Mount], into block: inout TextBlock) {
    title("Persistent-memory file systems", &block)
    guard !mounts.isEmpty else {
      block.prose("none mounted", indent: 2)
      return
    }
    var table = TextTable([
      .init("device"), .init("file system"), .init("fsdax"), .init("option"), .init("mounted on"),
    ])
    var remarks: [String] = []
    for mount in mounts {
      table.add([
        Span(mount.device), Span(mount.filesystem), answer(mount.dax), Span(mount.option),
        Span(mount.mountPoint),
      ])
      if !mount.detail.isEmpty { remarks.append("\(mount.mountPoint): \(mount.detail)") }
    }
    block.table(table, indent: 2)
    for remark in remarks { block.prose(remark, indent: 2) }
  }

  private static func answer(_ answer: DoctorReport.Answer) -> Span {
    switch answer {
    case .yes: Span("yes", .good)
    case .no: Span("no")
    case .unknown: Span("unknown", .warning)
    }
  }
}
