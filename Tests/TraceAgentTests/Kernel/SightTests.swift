// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import Kernel

@Suite struct SightTests {
  static let rxe = Sight.Device(name: "rxe0", driver: "rdma_rxe")

  private func sight(
    _ kernel: String, _ devices: [Sight.Device] = [rxe], wish: HookPlan.Wish = .init(),
    change: (inout HookPlan) -> Void = { _ in }
  ) throws -> Sight {
    var plan = HookPlan(offers: try KernelFixture(kernel).offers(), wish: wish)
    change(&plan)
    return plan.sight(of: devices)
  }

  @Test(arguments: KernelFixture.names)
  func everyKernelOfTheLabIsSeenWhole(kernel: String) throws {
    let sight = try sight(kernel)
    #expect(sight.blindness.isEmpty)
    #expect(!sight.seesNothing && !sight.waits)
    #expect(Operation.Kind.allCases.allSatisfy { sight.sees($0) })
    #expect(sight.isWatched(Self.rxe))
  }

  /// What is said of functions here is of functions that are hooked.
  @Test func namesAreThoseOfHooks() {
    for root in Sight.roots {
      let hook = Hook.all.first { $0.symbol == root.function }
      #expect(hook?.way == .operation && hook?.need == .always, "\(root.function)")
    }
    for (driver, functions) in Sight.drivers {
      let hooked = Hook.all.filter { $0.modules == [driver] && $0.need == .always }.map(\.symbol)
      #expect(Set(functions) == Set(hooked), "\(driver)")
    }
    let drivers = Set(Hook.all.filter { $0.role == .driver }.flatMap(\.modules))
    #expect(Set(Sight.drivers.keys) == drivers)
    #expect(drivers.isSubset(of: RDMADevice.drivers.compactMap(\.self)))
  }

  @Test(arguments: KernelFixture.names)
  func withoutAnyWayNothingIsSeen(kernel: String) throws {
    let sight = try sight(kernel, wish: .init(without: [.fentry, .kprobe]))
    #expect(sight.seesNothing && !sight.waits)
    #expect(
      sight.refusal.hasPrefix("nothing would be seen: ib_uverbs_reg_mr and")
        && sight.refusal.hasSuffix("leave them out of --no-hook"))
    #expect(sight.blindness.count == 1 && sight.blindness[0].hasPrefix("No operation is seen"))
    #expect(!Operation.Kind.allCases.contains { sight.sees($0) })
  }

  @Test func kprobesThatAreOffCostWhatHasNothingElse() throws {
    var wish = HookPlan.Wish()
    wish.kprobesAreOff = true
    let old = try sight("5.10", wish: wish)
    #expect(old.seesNothing)
    #expect(old.refusal.contains("switched off") && old.refusal.contains("kprobes/enabled"))
    #expect(try sight("6.1", wish: wish).blindness.isEmpty)
    // the monitor's way into modules, also into those that are still to come
    wish.pinsModules = false
    #expect(try sight("6.1", wish: wish).seesNothing)
    let offers = try without(["ib_core", "ib_uverbs", "rdma_rxe", "mlx5_ib"], of: "6.1")
    #expect(HookPlan(offers: offers, wish: wish).sight(of: []).seesNothing)
  }

  @Test func whatTheKernelDoesNotTakeIsMissing() throws {
    let all = try sight("6.1") { plan in
      for root in Sight.roots {
        plan.markAbsent(root.function, .notAttached("EBUSY"))
      }
    }
    #expect(all.seesNothing && all.refusal.contains("it could not be attached: EBUSY"))
    #expect(all.refusal.contains("ftrace_enabled"))
    let one = try sight("6.1") {
      $0.markAbsent("ib_umem_odp_map_dma_and_lock", .notAttached("EBUSY"))
    }
    #expect(
      one.blindness == [
        "Page faults and asynchronous prefetches are not seen, failed or not: "
          + "ib_umem_odp_map_dma_and_lock: it could not be attached: EBUSY."
      ])
    #expect(!one.seesNothing && one.sees(.regMR) && !one.sees(.pageFault) && !one.sees(.prefetch))
    let refused = try sight(
      "6.18", wish: .init(refused: ["ib_uverbs_handler_UVERBS_METHOD_REG_MR"]))
    #expect(!refused.sees(.regMR) && refused.sees(.reregMR))
    #expect(refused.blindness[0].contains("its program was refused by this kernel"))
  }

  @Test(arguments: Sight.roots.map(\.function))
  func eachRootThatIsLeftOutIsNamed(function: String) throws {
    let sight = try sight("7.3", wish: .init(unhooked: [function]))
    #expect(sight.blindness.count == 1)
    #expect(sight.blindness[0].contains("\(function): forced off by --no-hook"))
    #expect(sight.tells(of: function) && !sight.seesNothing)
  }

  /// A kernel without on-demand paging has no page faults to be missed.
  @Test func whatThereIsNotIsNotMissed() throws {
    var plan = HookPlan(offers: try KernelFixture("6.1").offers(), wish: .init())
    for index in plan.rows.indices
    where plan.rows[index].hook.symbol == "ib_umem_odp_map_dma_and_lock" {
      plan.rows[index].rung = .absent
      plan.rows[index].reason = .lacking
    }
    #expect(plan.sight(of: []).blindness.isEmpty)
    // but all kernels register
    for index in plan.rows.indices where plan.rows[index].hook.symbol == "ib_uverbs_reg_mr" {
      plan.rows[index].rung = .absent
      plan.rows[index].reason = .lacking
    }
    #expect(plan.sight(of: []).blindness[0].contains("not among the functions of this kernel"))
  }

  private func without(_ modules: Set<String>, of kernel: String) throws -> HookPlan.Offers {
    var offers = try KernelFixture(kernel).offers()
    offers.modules.subtract(modules)
    offers.symbols = KernelSymbols(
      offers.symbols.symbols.filter { !modules.contains($0.value.module ?? "") })
    return offers
  }

  /// fsdax-2021 has them built in.
  @Test(arguments: KernelFixture.names.filter { $0 != "fsdax-2021" })
  func modulesThatAreNotLoadedAreAwaited(kernel: String) throws {
    let offers = try without(["ib_core", "ib_uverbs", "rdma_rxe", "mlx5_ib"], of: kernel)
    let sight = HookPlan(offers: offers, wish: .init()).sight(of: [])
    #expect(sight.waits && !sight.seesNothing && sight.blindness.isEmpty)
  }

  /// Other protocols load ib_core alone.
  @Test(arguments: ["5.10", "6.1", "6.18", "7.3"])
  func verbsAreAwaitedWhereOnlyTheCoreIsLoaded(kernel: String) throws {
    let offers = try without(["ib_uverbs", "rdma_rxe", "mlx5_ib"], of: kernel)
    #expect(offers.modules.contains("ib_core"))
    let plan = HookPlan(offers: offers, wish: .init())
    #expect(plan.sight(of: []).blindness.isEmpty)
    let verbs = plan.rows.filter { $0.hook.symbol == "ib_uverbs_reg_mr" }
    #expect(verbs.allSatisfy { $0.rung == .later || $0.isAttached })
  }

  @Test func aDeviceOfAnotherDriverIsNamed() throws {
    let siw = Sight.Device(name: "siw0", driver: "siw")
    let sight = try sight("7.3", [Self.rxe, siw, .init(name: "x0", driver: nil)])
    #expect(sight.blindness.count == 2)
    #expect(sight.blindness[0].hasPrefix("Of siw0 (driver siw) the driver's own functions are not"))
    #expect(sight.blindness[0].contains("those that the RDMA core does"))
    #expect(sight.blindness[1].hasPrefix("Of x0 (driver not known)"))
    #expect(sight.isWatched(Self.rxe) && !sight.isWatched(siw))
    #expect(Operation.Kind.allCases.allSatisfy { sight.sees($0) })
  }

  @Test func aDriverWhoseHooksAreMissingIsNamed() throws {
    let all = Set(try #require(Sight.drivers["rdma_rxe"]))
    let none = try sight("7.3", wish: .init(unhooked: all))
    #expect(none.blindness.count == 1)
    #expect(none.blindness[0].contains("rxe_reg_user_mr: forced off by --no-hook"))
    let one = try sight("7.3", wish: .init(unhooked: ["rxe_ib_advise_mr"]))
    #expect(one.blindness.count == 1)
    #expect(one.blindness[0].hasPrefix("Of rxe0 (driver rdma_rxe) not all is seen"))
  }

  /// Plans of older versions lack hooks; nothing is known of those.
  @Test func whatAPlanDoesNotHaveIsNotSaidToBeMissing() {
    let sight = Sight(
      hooks: [Sight.Hook("hmm_range_fault", rung: .fexit, note: nil)], devices: [Self.rxe])
    #expect(sight.blindness.isEmpty && !sight.seesNothing && !sight.waits)
    let other = Sight(
      hooks: [Sight.Hook("ib_uverbs_reg_mr", rung: .noHook, note: nil)], devices: [])
    #expect(other.blindness.isEmpty)
  }
}
