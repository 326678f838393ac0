// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kernel
import Testing

/// What real kernels offered, taken in the lab: the lines of /proc/kallsyms that mrtrace asks for, the names in
/// /sys/kernel/btf, the modules loaded; on 6.16 and 7.2 mlx5_ib among them.
struct KernelFixture {
  let directory: URL

  static let names = ["5.10", "6.1", "6.12", "6.16", "6.18", "7.2", "7.3", "fsdax-2021"]

  init(_ name: String) throws {
    let fixtures = try #require(Bundle.module.resourceURL).appending(path: "Fixtures/kernels")
    directory = fixtures.appending(path: name)
  }

  func offers() throws -> HookPlan.Offers {
    let wanted = Set(Hook.all.map(\.symbol)).union([
      "__traceiter_dax_pte_fault_done", "__traceiter_dax_pmd_fault_done",
      "__traceiter_sched_process_fork", "__tracepoint_dax_pte_fault_done",
      "__tracepoint_dax_pmd_fault_done",
    ])
    let symbols = try KernelSymbols.read(
      wanted: wanted, from: directory.appending(path: "kallsyms").path)
    let tracepoints = Hook.all.filter { $0.way == .tracepoint }.map(\.symbol).filter {
      symbols.has("__traceiter_\($0)") || symbols.has("__tracepoint_\($0)")
    }
    return HookPlan.Offers(
      symbols: symbols, btf: try lines("btf"), tracepoints: Set(tracepoints),
      modules: try lines("modules"))
  }

  func plan(_ wish: HookPlan.Wish = .init()) throws -> [String: HookPlan.Row] {
    let plan = HookPlan(offers: try offers(), wish: wish)
    return Dictionary(uniqueKeysWithValues: plan.rows.map { ($0.hook.symbol, $0) })
  }

  private func lines(_ file: String) throws -> Set<String> {
    let text = try String(contentsOf: directory.appending(path: file), encoding: .utf8)
    return Set(text.split(separator: "\n").map(String.init))
  }
}
