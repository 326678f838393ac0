// SPDX-License-Identifier: Apache-2.0

import CBPF
import CEvents
import Glibc
import Model

/// What the programs in the kernel are told before they are loaded (`struct mrt_config`).
package struct TracerSettings: Sendable {
  /// How much is recorded of what succeeds.
  package enum Detail: String, CaseIterable, Sendable {
    case failures, operations, layers, pages
    var code: mrt_detail {
      switch self {
      case .failures: return MRT_DETAIL_FAILURES
      case .operations: return MRT_DETAIL_OPERATIONS
      case .layers: return MRT_DETAIL_LAYERS
      case .pages: return MRT_DETAIL_PAGES
      }
    }
  }

  package var detail: Detail
  /// Only these processes; empty = all. Children too, where `follow` is set.
  package var processes: [UInt32]
  package var filters: Bool
  /// What an operation must have besides.
  package var filter = OperationFilter()
  package var follow: Bool
  package var faultCodes: Bool
  /// Every operation is counted and timed in the kernel, and invalidations too: for the live views.
  package var statistics: Bool
  /// Hooks may keep their module from being unloaded, as fexit does. False: kprobes there, which a
  /// module's end takes with it, and which are attached again when it comes back.
  package var pinsModules = true
  package var without: Set<HookPlan.Family>
  package var unhooked: Set<String>
  /// Bytes; a power of two.
  package var ringSize: Int
  /// MRT_LAYOUT_…: how structures of modules without BTF are laid out.
  var layout = MRT_LAYOUT_NONE
  var features = ProgramFeatures.none
  /// The hook of the range fault, which sends what page-walk callbacks refused: 0 where its exit may not be seen.
  var rangeHook: UInt32 = 0
  /// Where variables are that BPF reads.
  var symbols = KernelSymbols([:])

  package init(
    detail: Detail = .operations, processes: [UInt32] = [], filters: Bool = false,
    follow: Bool = false, faultCodes: Bool = false, statistics: Bool = false,
    without: Set<HookPlan.Family> = [],
    unhooked: Set<String> = [], ringSize: Int = 4 << 20
  ) {
    self.detail = detail
    self.processes = processes
    self.filters = filters
    self.follow = follow
    self.faultCodes = faultCodes
    self.statistics = statistics
    self.without = without
    self.unhooked = unhooked
    self.ringSize = ringSize
  }

  func wish(_ refusals: Refusals) -> HookPlan.Wish {
    var wish = HookPlan.Wish(
      faultCodes: faultCodes, layers: detail.code.rawValue >= MRT_DETAIL_LAYERS.rawValue,
      follow: follow, statistics: statistics,
      without: without, unhooked: unhooked, moduleBTF: Capabilities.effective().has(.sysAdmin),
      demoted: refusals.fentry, refused: refusals.all)
    wish.pinsModules = pinsModules
    wish.reasons = refusals.reasons
    wish.kprobesAreOff = ProbeSwitches.current().areKprobesOff
    return wish
  }
}

/// Hooks whose programs this kernel has refused so far.
struct Refusals: Sendable {
  /// Their fentry programs.
  private(set) var fentry: Set<String> = []
  /// Their kprobe or tracepoint programs as well.
  private(set) var all: Set<String> = []
  /// What the kernel said last of each.
  private(set) var reasons: [String: String] = [:]

  /// False: there is no rung left that has not been refused.
  mutating func add(_ symbol: String, _ reason: String = "") -> Bool {
    if !reason.isEmpty { reasons[symbol] = reason }
    return fentry.insert(symbol).inserted || all.insert(symbol).inserted
  }
}

/// The programs in the kernel: loaded, attached, and gone with this value.
///
/// Hooks in modules that are loaded later come as further groups, which share the first group's maps.
package struct Tracer: ~Copyable {
  package internal(set) var plan: HookPlan
  let settings: TracerSettings
  var groups: [ProgramGroup]
  var refusals: Refusals
  var modules: Set<String>
  /// When they were last looked at, CLOCK_MONOTONIC, ns.
  var modulesNs = Clock.monotonic()
  package let ringDescriptor: CInt
  /// Calls under way when the programs were stopped.
  var keptAtStop: Set<KeptCall>?
  /// Entries that kprobes had kept with their tasks then, by hook.
  var enteredAtStop: [UInt32: UInt64] = [:]
  /// Where modules are not pinned: those whose functions are hooked, and hooks that went with theirs.
  var followed: [String: FollowedModule] = [:]
  var retired: [UInt32: RetiredHook] = [:]
  /// Where they are: modules that kprobes are in, which do not keep them from being unloaded.
  var probed: [String: UInt64] = [:]
  /// Those that have gone, and were hooked.
  var departed: Set<String> = []

  /// Loads and attaches everything this kernel can take.
  package static func start(
    facts: KernelFacts, settings: TracerSettings
  ) throws(KernelError) -> Tracer {
    var settings = settings
    settings.layout = facts.layout
    settings.features = facts.features
    settings.symbols = facts.offers.symbols
    if let obstacle = Permissions.obstacle() { throw obstacle }
    guard !facts.offers.symbols.areHidden else {
      throw .symbolsHidden
    }
    if !settings.filter.devices.isEmpty, !facts.knowsDevices { throw .devicesUnknown }
    var refusals = Refusals()
    var mayRangeSend = true
    while true {
      var plan = HookPlan(offers: facts.offers, wish: settings.wish(refusals))
      guard !plan.attached().isEmpty else {
        let sight = plan.sight(of: [])
        throw sight.seesNothing ? .blind(sight.refusal) : .nothingToHook
      }
      do throws(ProgramGroup.Refusal) {
        if !settings.pinsModules { plan.expectModules() }
        settings.rangeHook = mayRangeSend ? plan.sendingRange(facts.offers) : 0
        let group = try ProgramGroup.load(plan.attached(), settings: settings, sharing: nil)
        if settings.rangeHook != 0,
          group.attachFailures.contains(where: { plan.isSendingRange($0.symbol, facts.offers) })
        {
          mayRangeSend = false
          continue
        }
        for failure in group.attachFailures { plan.markAbsent(failure.symbol, failure.why) }
        let ring = group.mapDescriptor("ring")
        var tracer = Tracer(
          plan: plan, settings: settings, groups: [group], refusals: refusals,
          modules: facts.offers.modules, ringDescriptor: ring)
        tracer.attachOneRungDown(group.attachFailures.map(\.symbol), facts: facts)
        tracer.fillFilters(settings.filter)
        if !settings.pinsModules { _ = tracer.followModules() } else { tracer.noteProbed() }
        for process in settings.processes { tracer.watch(process) }
        return tracer
      } catch {
        if settings.features != .none {
          settings.features = .none
          continue
        }
        // One program the verifier refuses must not cost the others: one rung down, and again.
        guard !error.helperWithheld, let symbol = error.symbol, refusals.add(symbol, error.detail)
        else {
          throw error.asKernelError
        }
        // refused without what newer kernels can as well: that was not the reason
        settings.features = facts.features
      }
    }
  }

  /// A function whose fentry program loads may still have no trampoline: one of more than six arguments, on older kernels.
  private mutating func attachOneRungDown(_ symbols: [String], facts: KernelFacts) {
    guard !symbols.isEmpty else { return }
    for symbol in symbols { _ = refusals.add(symbol) }
    let fresh = HookPlan(offers: facts.offers, wish: settings.wish(refusals))
    let rows = fresh.attached().filter { symbols.contains($0.hook.symbol) && $0.rung == .kprobe }
    guard !rows.isEmpty,
      let group = try? ProgramGroup.load(rows, settings: settings, sharing: groups[0])
    else { return }
    for row in rows { plan.replace(row) }
    for failure in group.attachFailures { plan.markAbsent(failure.symbol, failure.why) }
    groups.append(group)
  }

  /// Follow this process (and its children, where asked for).
  package func watch(_ process: UInt32) {
    var key = process
    var one: UInt8 = 1
    _ = bpf_map_update_elem(groups[0].mapDescriptor("watched"), &key, &one, 0)
  }

  package func unwatch(_ process: UInt32) {
    var key = process
    _ = bpf_map_delete_elem(groups[0].mapDescriptor("watched"), &key)
  }

  func mapDescriptor(_ name: String) -> CInt { groups[0].mapDescriptor(name) }

  /// `facts` with what only the kernel's memory holds.
  package func complete(_ facts: KernelFacts) -> KernelFacts {
    var complete = facts
    guard let read = groups[0].readFacts() else { return complete }
    complete.pagingLevels = Int(read.paging_levels)
    if read.has & UInt32(MRT_FACTS_ZERO_PFN) != 0 { complete.zeroPFN = read.zero_pfn }
    return complete
  }

  /// The size of the ring buffer as the kernel has it, bytes.
  package var ringSize: Int { settings.ringSize }
}

extension HookPlan {
  /// The function that runs the page walk, one of its own from 7.3 on, where its exit is always seen.
  private func rangeRow(_ offers: Offers) -> Row? {
    let has = offers.symbols.has("hmm_range_fault_locked")
    let walks = has ? MRT_HOOK_RANGE_FAULT_LOCKED : MRT_HOOK_RANGE_FAULT
    return rows.first { $0.hook.id == walks && $0.rung == .fexit }
  }

  /// Its hook; 0: there is none that may send what page-walk callbacks refused.
  func sendingRange(_ offers: Offers) -> UInt32 {
    rangeRow(offers).map { UInt32($0.hook.id.rawValue) } ?? 0
  }

  func isSendingRange(_ symbol: String, _ offers: Offers) -> Bool {
    rangeRow(offers)?.hook.symbol == symbol
  }

  mutating func markAbsent(_ symbol: String, _ why: Unwatched) {
    for index in rows.indices where rows[index].hook.symbol == symbol && rows[index].isAttached {
      rows[index].rung = .absent
      rows[index].reason = .unwatched(why)
    }
  }

  mutating func replace(_ row: Row) {
    for index in rows.indices where rows[index].hook.symbol == row.hook.symbol { rows[index] = row }
  }
}
