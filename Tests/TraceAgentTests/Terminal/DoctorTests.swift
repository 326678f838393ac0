// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Terminal

@Suite struct DoctorTests {
  @Test func text() {
    #expect(
      DoctorText.render(DiagnosisSamples.doctor, style: .plain(width: 100)) == """
        warning: record works here, without the deciding check itself
        kernel 6.1.0-56-amd64, x86_64

        Checks
          status  check       found
          ok      privileges  root
          warn    rdma_rxe    the module is not loaded, so that its functions cannot be watched yet

        To mend
          rdma_rxe:
            modprobe rdma_rxe

        Hooks
          function                how     module    for
          hmm_range_fault         fexit             the range that failed
          pagefault_mr            kprobe  mlx5_ib   device page faults; on pagefault_mr.constprop.0
          hmm_vma_handle_pte      replay            the deciding check; inlined
          rxe_reg_user_mr         later   rdma_rxe  registration
          hmm_range_fault_locked  absent            the range that failed; 7.3 and later

        RDMA devices
          device  driver    on-demand paging  detail
          rxe0    rdma_rxe  no                soft-RoCE has it from 6.16 on
          mlx5_0            unknown

        Persistent-memory file systems
          device      file system  fsdax  option      mounted on
          /dev/pmem0  ext4         yes    dax=always  /mnt/pmem

        """)
  }

  @Test func narrowTextHasEverythingWithinTheWidth() {
    let text = DoctorText.render(DiagnosisSamples.doctor, style: .plain(width: 60))
    for line in text.split(separator: "\n") { #expect(line.count <= 60) }
    #expect(text.contains("      device page faults; on pagefault_mr.constprop.0\n"))
    #expect(text.contains("so that its\n                      functions cannot be watched yet\n"))
  }

  @Test func nothingFoundIsSaid() {
    let report = DoctorReport(
      release: "6.1", machine: "x86_64", status: .fail, verdict: "no BTF")
    #expect(
      DoctorText.render(report, style: .plain()) == """
        cannot record: no BTF
        kernel 6.1, x86_64

        RDMA devices
          none

        Persistent-memory file systems
          none mounted

        """)
  }

  @Test func aCommandToMendIsNeverBroken() {
    let command = "sysctl " + String(repeating: "x", count: 80)
    let report = DoctorReport(
      release: "6.1", machine: "x86_64", status: .fail, verdict: "no",
      checks: [.init(name: "a", status: .fail, detail: "b", fix: command)])
    let lines = DoctorText.render(report, style: .plain(width: 60)).split(separator: "\n")
    #expect(lines.contains("    \(command)"))
  }

  @Test func colourStandsBesideWords() {
    let colour = Style(isTerminal: true, noColor: nil, term: "xterm", width: 100)
    let text = DoctorText.render(DiagnosisSamples.doctor, style: colour)
    #expect(text.contains("\u{1b}[32mok\u{1b}[0m"))
    #expect(text.contains("\u{1b}[33mwarn\u{1b}[0m"))
  }

  @Test func json() throws {
    let line = DoctorJSON.line(DiagnosisSamples.doctor)
    #expect(!line.contains("\n"))
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    #expect(object["status"] as? String == "warn")
    #expect(object["verdict"] as? String == DiagnosisSamples.doctor.verdict)
    #expect(
      object["kernel"] as? [String: String] == ["release": "6.1.0-56-amd64", "machine": "x86_64"])
    #expect(
      object["checks"] as? [[String: String]] == [
        ["id": "privileges", "name": "privileges", "status": "ok", "detail": "root"],
        [
          "id": "rdma_rxe", "name": "rdma_rxe", "status": "warn",
          "detail": "the module is not loaded, so that its functions cannot be watched yet",
          "fix": "modprobe rdma_rxe",
        ],
      ])
    let hooks = try #require(object["hooks"] as? [[String: String]])
    #expect(hooks.map { $0["rung"] } == ["fexit", "kprobe", "replay", "later", "absent"])
    #expect(
      hooks[1] == [
        "hook": "pagefault_mr", "purpose": "device page faults",
        "symbol": "pagefault_mr.constprop.0", "module": "mlx5_ib", "rung": "kprobe",
      ])
    #expect(
      hooks[2] == [
        "hook": "hmm_vma_handle_pte", "purpose": "the deciding check", "rung": "replay",
        "note": "inlined",
      ])
    #expect(
      object["devices"] as? [[String: String]] == [
        [
          "name": "rxe0", "driver": "rdma_rxe", "odp": "no",
          "detail": "soft-RoCE has it from 6.16 on",
        ], ["name": "mlx5_0", "odp": "unknown"],
      ])
    #expect(
      object["mounts"] as? [[String: String]] == [
        [
          "device": "/dev/pmem0", "mountpoint": "/mnt/pmem", "filesystem": "ext4", "dax": "yes",
          "option": "dax=always",
        ]
      ])
  }
}

@Suite struct HookPlanTextTests {
  @Test func whatIsMissingIsSaid() {
    #expect(
      HookPlanText.line(DiagnosisSamples.doctor.hooks)
        == "attached 2 of 5 hooks: 1 fexit, 1 kprobe; replayed: hmm_vma_handle_pte; "
        + "1 waiting for module rdma_rxe; 1 not in this kernel")
  }

  @Test func aWholePlanIsShort() {
    #expect(
      HookPlanText.line([DiagnosisSamples.doctor.hooks[0]]) == "attached 1 of 1 hook: 1 fexit")
    #expect(HookPlanText.line([]) == "attached 0 of 0 hooks")
  }

  @Test func severalModulesAreNamedOnce() {
    let hooks = ["mlx5_ib", "mlx5_ib", "rdma_rxe"].map {
      DoctorReport.Hook(hook: "f", purpose: "", symbol: nil, module: $0, rung: .later)
    }
    #expect(
      HookPlanText.line(hooks) == "attached 0 of 3 hooks; 3 waiting for modules mlx5_ib, rdma_rxe")
  }
}

@Suite struct ProgressLineTests {
  @Test func aTerminalGetsOneLine() {
    var progress = ProgressLine(
      style: Style(isTerminal: true, noColor: "1", term: "xterm", width: 40))
    #expect(progress.clear() == "")
    #expect(progress.show("10 operations") == "\r10 operations\u{1b}[K")
    #expect(progress.show("10 operations") == "")
    #expect(progress.show("1\u{1b}[2J") == "\r1\\x1b[2J\u{1b}[K")
    let long = progress.show(String(repeating: "x", count: 50))
    #expect(long == "\r" + String(repeating: "x", count: 36) + "...\u{1b}[K")
    #expect(progress.clear() == "\r\u{1b}[K")
    #expect(progress.clear() == "")
  }

  @Test func nothingIsWrittenElsewhere() {
    for style in [.plain(), Style(isTerminal: true, noColor: nil, term: "dumb", width: 80)] {
      var progress = ProgressLine(style: style)
      #expect(progress.show("text") == "")
      #expect(progress.clear() == "")
    }
  }
}
