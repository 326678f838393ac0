// SPDX-License-Identifier: Apache-2.0

import CEvents
import Model
import Testing

@testable import Kernel

@Suite struct HookPlanTests {
  /// (kernel, hook, rung): what was seen to attach in the lab.
  static let expected: [(String, String, Rung)] = [
    ("5.10", "ib_uverbs_reg_mr", .kprobe),
    ("5.10", "ib_umem_odp_map_dma_and_lock", .kprobe),
    ("5.10", "hmm_vma_walk_pmd", .fexit),
    ("5.10", "hmm_vma_handle_pte", .replay),
    ("5.10", "migrate_pages", .fexit),
    ("5.10", "dax_iomap_fault", .fexit),
    ("5.10", "rxe_reg_user_mr", .kprobe),
    ("5.10", "mr_check_range", .off),
    ("5.10", "xfs_iomap_write_direct", .later),
    ("6.1", "ib_uverbs_reg_mr", .fexit),
    ("6.1", "ib_umem_get", .fexit),
    ("6.1", "__ib_umem_get_va", .absent),
    ("6.1", "hmm_range_fault", .fexit),
    ("6.1", "hmm_range_fault_locked", .absent),
    ("6.1", "hmm_vma_handle_pte", .replay),
    ("6.1", "rxe_ib_advise_mr", .absent),
    ("6.1", "mlx5_ib_advise_mr", .later),
    ("6.1", "dax_pte_fault_done", .tracepoint),
    ("6.1", "handle_userfault", .fexit),
    ("6.1", "mr_check_range", .off),
    ("6.16", "rxe_ib_advise_mr", .absent),
    ("6.16", "rxe_odp_map_range_and_lock", .off),
    ("6.16", "mlx5_ib_reg_user_mr", .fexit),
    ("6.16", "pagefault_mr", .fexit),
    ("6.16", "pagefault_single_data_segment", .kprobe),
    ("6.18", "rxe_ib_advise_mr", .fexit),
    ("6.18", "ib_uverbs_handler_UVERBS_METHOD_REG_MR", .fexit),
    ("7.2", "__ib_umem_get_va", .fexit),
    ("7.2", "hmm_range_fault", .fexit),
    ("7.2", "hmm_range_fault_locked", .absent),
    ("7.2", "pagefault_mr", .fexit),
    ("7.2", "pagefault_single_data_segment", .kprobe),
    ("7.2", "mlx5r_umr_update_xlt", .fexit),
    ("7.3", "ib_umem_get", .absent),
    ("7.3", "__ib_umem_get_va", .fexit),
    ("7.3", "hmm_range_fault_locked", .fexit),
    ("7.3", "hmm_range_fault_unlocked_timeout", .fexit),
    ("7.3", "hmm_vma_handle_pte", .replay),
    ("fsdax-2021", "hmm_vma_handle_pte", .fexit),
    ("fsdax-2021", "rxe_ib_advise_mr", .fexit),
    ("fsdax-2021", "xfs_iomap_write_direct", .fexit),
    ("fsdax-2021", "ib_uverbs_handler_UVERBS_METHOD_REG_MR", .absent),
  ]

  @Test(arguments: expected)
  func rungOnRealKernel(kernel: String, hook: String, rung: Rung) throws {
    let row = try #require(try KernelFixture(kernel).plan()[hook])
    #expect(row.rung == rung)
  }

  @Test func modulesAreThoseThatHoldTheSymbol() throws {
    #expect(try KernelFixture("6.1").plan()["ib_umem_get"]?.module == "ib_uverbs")
    #expect(try KernelFixture("7.3").plan()["__ib_umem_get_va"]?.module == "ib_core")
    #expect(try KernelFixture("fsdax-2021").plan()["ib_umem_get"]?.module == nil)
  }

  @Test(arguments: KernelFixture.names)
  func hotHooksOnlyOnRequest(kernel: String) throws {
    let plain = try KernelFixture(kernel).plan()
    #expect(plain["handle_mm_fault"]?.rung == .off)
    #expect(plain["sched_process_fork"]?.rung == .off)
    #expect(plain["ib_umem_odp_release"]?.rung == .off)
    let all = try KernelFixture(kernel).plan(.init(faultCodes: true, layers: true, follow: true))
    #expect(all["handle_mm_fault"]?.rung == .fexit)
    #expect(all["mr_check_range"]?.isAttached == (kernel != "5.10"))
    #expect(all["sched_process_fork"]?.rung == .tracepoint)
    #expect(all["ib_umem_odp_release"]?.isAttached == true)
  }

  @Test(arguments: KernelFixture.names)
  func withoutFentryEverythingIsAKprobe(kernel: String) throws {
    let rows = try KernelFixture(kernel).plan(.init(without: [.fentry])).values
    #expect(!rows.contains { $0.rung == .fexit })
    #expect(rows.filter { $0.rung == .kprobe }.count >= 10)
  }

  @Test func directHookForcedOffIsReplayed() throws {
    for wish in [
      HookPlan.Wish(without: [.direct]), HookPlan.Wish(unhooked: ["hmm_vma_handle_pte"]),
    ] {
      let row = try #require(try KernelFixture("fsdax-2021").plan(wish)["hmm_vma_handle_pte"])
      #expect(row.rung == .replay)
      #expect(row.note.hasPrefix("forced off"))
    }
  }

  @Test func aCloneAndItsColdPartAreTwoThings() throws {
    let row = try KernelFixture("7.2").plan()["pagefault_single_data_segment"]
    #expect(row?.target == "pagefault_single_data_segment.constprop.0")
  }

  /// The page walk's own caller tells what its callbacks met, and no other; never by a kprobe, which may miss its return.
  @Test(arguments: [
    ("5.10", HookPlan.Wish(), MRT_HOOK_RANGE_FAULT.rawValue),
    ("6.1", HookPlan.Wish(), MRT_HOOK_RANGE_FAULT.rawValue),
    ("7.3", HookPlan.Wish(), MRT_HOOK_RANGE_FAULT_LOCKED.rawValue),
    ("6.1", HookPlan.Wish(unhooked: ["hmm_range_fault"]), 0),
    ("7.3", HookPlan.Wish(unhooked: ["hmm_range_fault_locked"]), 0),
    ("7.3", HookPlan.Wish(demoted: ["hmm_range_fault_locked"]), 0),
    ("7.3", HookPlan.Wish(without: [.fentry]), 0),
  ])
  func whoTellsWhatAWalkMet(kernel: String, wish: HookPlan.Wish, hook: UInt32) throws {
    let offers = try KernelFixture(kernel).offers()
    #expect(HookPlan(offers: offers, wish: wish).sendingRange(offers) == hook)
  }

  @Test func noReplayWithoutTheCaller() throws {
    let plan = try KernelFixture("7.3").plan(.init(unhooked: ["hmm_vma_walk_pmd"]))
    #expect(plan["hmm_vma_handle_pte"]?.rung == .absent)
  }

  @Test func faultWitnessesForcedOff() throws {
    let plan = try KernelFixture("7.3").plan(.init(faultCodes: true, without: [.fault]))
    let witnesses = plan.values.filter { $0.hook.role == .fault }
    #expect(witnesses.count >= 7)
    #expect(witnesses.allSatisfy { $0.rung == .absent })
  }

  @Test func refusedFentryGoesOneRungDown() throws {
    let plan = try KernelFixture("7.3").plan(.init(demoted: ["hmm_vma_walk_hole"]))
    #expect(plan["hmm_vma_walk_hole"]?.rung == .kprobe)
    #expect(plan["hmm_vma_walk_pmd"]?.rung == .fexit)
  }

  @Test func refusedKprobeIsLeftOut() throws {
    let plan = try KernelFixture("5.10").plan(
      .init(demoted: ["ib_uverbs_reg_mr"], refused: ["ib_uverbs_reg_mr"]))
    #expect(plan["ib_uverbs_reg_mr"]?.rung == .absent)
    #expect(plan["ib_umem_get"]?.rung == .kprobe)
  }

  /// A module that is not to be pinned gets kprobes; the kernel itself, and what is built in, keeps fexit.
  @Test(arguments: KernelFixture.names)
  func modulesThatMayBeUnloadedAreNotHookedByFexit(kernel: String) throws {
    var wish = HookPlan.Wish(statistics: true)
    let pinned = try KernelFixture(kernel).plan(wish)
    wish.pinsModules = false
    let plan = try KernelFixture(kernel).plan(wish)
    #expect(!plan.values.contains { $0.rung == .fexit && $0.module != nil })
    for (symbol, row) in plan {
      let before = try #require(pinned[symbol])
      guard row != before else { continue }
      // 5.10 hooks modules, which have no BTF there, by kprobes either way
      #expect([.fexit, .kprobe].contains(before.rung) && before.module != nil)
      #expect((row.rung, row.module) == (.kprobe, before.module))
      #expect(row.note == "its module may be unloaded")
    }
    #expect(plan["hmm_vma_walk_pmd"]?.rung == .fexit)
  }

  @Test func anUnloadedModulesHooksWait() throws {
    var wish = HookPlan.Wish()
    wish.pinsModules = false
    var plan = HookPlan(offers: try KernelFixture("7.3").offers(), wish: wish)
    let all = plan.attached()
    let ofRXE = all.filter { $0.module == "rdma_rxe" }
    #expect(!ofRXE.isEmpty)
    plan.expect("rdma_rxe")
    #expect(plan.later().filter { $0.module == "rdma_rxe" }.count == ofRXE.count)
    #expect(plan.attached().count == all.count - ofRXE.count)
    #expect(plan.gaps.isEmpty)
    for row in ofRXE { plan.replace(row) }
    #expect(plan.attached() == all)
    plan.expectModules()
    #expect(plan.attached().allSatisfy { $0.module == nil })
  }

  @Test func gapsAreToldWithTheirReason() throws {
    let offers = try KernelFixture("5.10").offers()
    let refused = HookPlan(offers: offers, wish: .init(refused: ["ib_uverbs_reg_mr"]))
    #expect(
      refused.gaps == [
        "registrations are not seen: ib_uverbs_reg_mr: its program was refused by this kernel"
      ])
    #expect(HookPlan(offers: try KernelFixture("7.3").offers(), wish: .init()).gaps.isEmpty)
  }

  @Test func aCompilersCloneIsHookedByItsName() {
    let offers = HookPlan.Offers(
      symbols: KernelSymbols([
        "get_prefetchable_mr.constprop.0": .init(address: 1, module: "mlx5_ib")
      ]),
      btf: ["vmlinux", "mlx5_ib"], tracepoints: [], modules: ["mlx5_ib"])
    let row = HookPlan(offers: offers, wish: .init()).rows.first {
      $0.hook.symbol == "get_prefetchable_mr"
    }
    #expect(row?.rung == .kprobe)
    #expect(row?.target == "get_prefetchable_mr.constprop.0")
  }

  /// The family that `--no-hook fault` forces off is that of the witnesses of page faults: what moves pages for a pin
  /// is none of them.
  @Test func theFaultFamily() {
    let family = Set(Hook.all.filter { $0.role == .fault }.map(\.symbol))
    #expect(
      family == [
        "handle_mm_fault", "dax_pte_fault_done", "dax_pmd_fault_done", "dax_iomap_fault",
        "hugetlb_fault", "handle_userfault", "xfs_iomap_write_direct", "shmem_unused_huge_shrink",
        "ext4_should_retry_alloc",
      ])
    #expect(Hook.all.first { $0.symbol == "migrate_pages" }?.role == .umem)
  }
}
