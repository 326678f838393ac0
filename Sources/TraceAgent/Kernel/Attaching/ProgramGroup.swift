// SPDX-License-Identifier: Apache-2.0

import CBPF
import CEvents
import CLinux
import Glibc
import Model

/// One loaded copy of the BPF object, with the programs of some hooks, and their links.
///
/// A class because a `~Copyable` value cannot be kept in an array; nothing but ``Tracer`` holds it.
final class ProgramGroup {
  /// Loading failed. `symbol`: whose program was refused, where libbpf names it.
  struct Refusal: Error {
    var step: String
    var errno: Errno
    var symbol: String?
    var detail: String

    /// The verifier does not know the helper: LOCKDOWN_BPF_READ_KERNEL withholds it.
    var helperWithheld = false

    var asKernelError: KernelError {
      helperWithheld
        ? .lockdown(mode: "confidentiality")
        : .bpfRefused(step: step, errno: errno, detail: detail)
    }
  }

  private let object: OpaquePointer
  /// Where its hooks go with this module.
  var module: String?
  /// By program.
  private var links: [String: OpaquePointer] = [:]
  /// Of links that are gone: what they had missed.
  private var missedBefore: [String: UInt64] = [:]
  private let access = ProbeAccess.current()
  private var knowsTargets = false
  private var programs: [String: OpaquePointer] = [:]
  private(set) var attachFailures: [(symbol: String, why: Unwatched)] = []

  private init(object: OpaquePointer) { self.object = object }

  deinit {
    // links first: a program must not run while its maps go
    for link in links.values { bpf_link__destroy(link) }
    bpf_object__close(object)
  }

  static func load(
    _ rows: [HookPlan.Row], settings: TracerSettings, sharing first: ProgramGroup?
  ) throws(Refusal) -> ProgramGroup {
    let group = try loaded(rows, settings: settings, sharing: first)
    group.attach(rows)
    cprocess_release_memory()
    return group
  }

  private static func loaded(
    _ rows: [HookPlan.Row], settings: TracerSettings, sharing first: ProgramGroup?
  ) throws(Refusal) -> ProgramGroup {
    let loader = ProgramLoader()
    let (group, types) = try open(rows, by: loader)
    group.choosePrograms(rows)
    try group.prepareMaps(settings: settings, sharing: first, loader: loader)
    cprocess_release_memory()
    let result = loader.load(group.object, types: types)
    guard result == 0 else {
      let log = loader.log
      throw Refusal(
        step: "load its BPF programs", errno: Errno(rawValue: -result),
        symbol: refusedSymbol(in: log), detail: lastWords(of: log),
        helperWithheld: isHelperWithheld(log))
    }
    return group
  }

  func mapDescriptor(_ name: String) -> CInt {
    guard let map = bpf_object__find_map_by_name(object, name) else { return -1 }
    return bpf_map__fd(map)
  }

  /// Runs that the kernel skipped, because the program was running already on that CPU, or, of a
  /// kprobe, for another reason of its own (6.7 and later tell).
  func skipped(of row: HookPlan.Row) -> SkippedRuns {
    var skipped = SkippedRuns()
    for part in row.programs {
      guard let program = programs[part.name(of: row)] else { continue }
      var info = bpf_prog_info()
      var length = UInt32(MemoryLayout<bpf_prog_info>.size)
      guard bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length) == 0 else { continue }
      let name = part.name(of: row)
      let kprobe = links[name].map { cbpf_kprobe_missed(bpf_link__fd($0)) } ?? missedBefore[name]
      skipped[part, default: 0] &+= info.recursion_misses &+ (kprobe ?? 0)
    }
    return skipped
  }

  /// Entry programs stay until the group goes: a return without its entry would count as missed.
  func detachExits(of row: HookPlan.Row) {
    for part in row.programs where !part.isEntry {
      let name = part.name(of: row)
      guard let link = links.removeValue(forKey: name) else { continue }
      missedBefore[name] = cbpf_kprobe_missed(bpf_link__fd(link))
      bpf_link__destroy(link)
    }
  }

  // MARK: - Loading

  /// Functions of the kernel that programs call, and what stands for them in the object.
  private static let calls: [(function: String, placeholder: Int32)] = [
    ("bpf_rdonly_cast", MRT_CALL_CAST), ("bpf_iter_num_new", MRT_CALL_TIMES_NEW),
    ("bpf_iter_num_next", MRT_CALL_TIMES_NEXT), ("bpf_iter_num_destroy", MRT_CALL_TIMES_DESTROY),
  ]

  /// The object, told of the kernel's types and functions what it asks for; or, where these cannot be read, left to libbpf,
  /// which looks for them as well as it may.
  private static func open(
    _ rows: [HookPlan.Row], by loader: ProgramLoader
  ) throws(Refusal) -> (ProgramGroup, TypesFile?) {
    cprocess_release_memory()
    let functions = Set(rows.filter { $0.rung == .fexit }.map(\.hook.symbol))
    if let file = TypesFile(), let types = KernelTypes(modules: Set(Hook.all.flatMap(\.modules))) {
      var found = types.functions(functions.union(calls.map(\.function)))
      for call in calls {
        guard let id = found.removeValue(forKey: call.function)?.id else { continue }
        loader.nameCall(call.placeholder, id: id)
      }
      loader.setTargets(found)
      let group = try open(types: file, by: loader)
      if file.fill(types, names: group.typeNames) {
        group.knowsTargets = true
        return (group, file)
      }
      loader.forgetTargets()
    }
    return (try open(types: nil, by: loader), nil)
  }

  private static func open(
    types: TypesFile?, by loader: ProgramLoader
  ) throws(Refusal) -> ProgramGroup {
    guard let opened = loader.open(BPFObjectImage.bytes(), name: "mrtrace", types: types) else {
      throw Refusal(
        step: "open its BPF object", errno: Errno(rawValue: errno), symbol: nil,
        detail: lastWords(of: loader.log))
    }
    return ProgramGroup(object: opened)
  }

  /// Of the types that our programs were compiled with; what follows "___" only tells ours apart.
  private var typeNames: [String] {
    guard let types = bpf_object__btf(object) else { return [] }
    return (1..<btf__type_cnt(types)).compactMap { id in
      guard let type = btf__type_by_id(types, id),
        let name = btf__name_by_offset(types, type.pointee.name_off)
      else { return nil }
      let text = String(cString: name)
      let essential = text.prefix(upTo: text.firstRange(of: "___")?.lowerBound ?? text.endIndex)
      return essential.isEmpty ? nil : String(essential)
    }
  }

  private func choosePrograms(_ rows: [HookPlan.Row]) {
    let wanted = Set(rows.flatMap { row in row.programs.map { $0.name(of: row) } })
      .union([ProgramGroup.factsProgram])
    var program = bpf_object__next_program(object, nil)
    while let current = program {
      let name = String(cString: bpf_program__name(current))
      let load = wanted.contains(name)
      bpf_program__set_autoload(current, load)
      if load { programs[name] = current }
      // As if it were for another program: else libbpf reads all of the kernel's types, to find a target that is set later.
      if load, knowsTargets,
        ProgramPart.trampolines.contains(where: { name.hasPrefix($0.prefix) })
      {
        bpf_program__set_attach_target(current, 1, nil)
      }
      if load, access == .link, name.hasPrefix("kprobe__") || name.hasPrefix("kretprobe__") {
        bpf_program__set_expected_attach_type(current, BPF_TRACE_KPROBE_MULTI)
      }
      program = bpf_object__next_program(object, current)
    }
  }

  private func prepareMaps(
    settings: TracerSettings, sharing first: ProgramGroup?, loader: ProgramLoader
  ) throws(Refusal) {
    var map = bpf_object__next_map(object, nil)
    while let current = map {
      let name = String(cString: bpf_map__name(current))
      if name.hasSuffix(".config") {
        var config = mrt_config()
        config.detail = settings.detail.code.rawValue
        settings.configure(&config)
        config.follow = settings.follow ? 1 : 0
        // a quarter: the rest is room for what comes while the agent wakes
        config.wake_at = UInt32(settings.ringSize / 4)
        config.ring_size = UInt32(settings.ringSize)
        config.layout = UInt32(settings.layout)
        config.statistics = settings.statistics ? 1 : 0
        settings.features.configure(&config)
        config.range_hook = settings.rangeHook
        let result = bpf_map__set_initial_value(current, &config, MemoryLayout<mrt_config>.size)
        guard result == 0 else { throw refusal("configure its BPF programs", result) }
        loader.setConstants(current)
      } else if settings.features.unusedMaps.contains(name) {
        // the others have what is in flight
        bpf_map__set_autocreate(current, false)
      } else if let first, !name.contains(".") {
        let result = bpf_map__reuse_fd(current, first.mapDescriptor(name))
        guard result == 0 else { throw refusal("share its BPF maps", result) }
      } else if name == "ring" {
        bpf_map__set_max_entries(current, UInt32(settings.ringSize))
      } else if !settings.statistics, ["latencies", "invalidations"].contains(name) {
        // nobody asks for them: no memory for them
        bpf_map__set_max_entries(current, 1)
      }
      map = bpf_object__next_map(object, current)
    }
  }

  private func refusal(_ step: String, _ result: CInt) -> Refusal {
    Refusal(step: step, errno: Errno(rawValue: -result), symbol: nil, detail: "")
  }

  // MARK: - Facts

  private static let factsProgram = "raw_tp__facts"

  /// Runs the program that reads what only the kernel's memory holds.
  func readFacts() -> mrt_facts? {
    guard let program = programs[ProgramGroup.factsProgram] else { return nil }
    var arguments: (UInt64, UInt64) = (0, 0)
    let result = withUnsafeMutablePointer(to: &arguments) { context in
      var options = bpf_test_run_opts()
      options.sz = MemoryLayout<bpf_test_run_opts>.size
      options.ctx_in = UnsafeRawPointer(context)
      options.ctx_size_in = 16
      return bpf_prog_test_run_opts(bpf_program__fd(program), &options)
    }
    guard result == 0 else { return nil }
    var key: UInt32 = 0
    var facts = mrt_facts()
    guard bpf_map_lookup_elem(mapDescriptor("facts"), &key, &facts) == 0 else { return nil }
    return facts
  }

  // MARK: - Attaching

  /// The kernel's own functions first, by their address: ftrace goes through all functions each time, as far as the last
  /// that is hooked already, and modules' come last.
  private func attach(_ rows: [HookPlan.Row]) {
    let order = rows.sorted {
      ($0.module == nil ? 0 : 1, $0.address) < ($1.module == nil ? 0 : 1, $1.address)
    }
    for row in order {
      var attached: [String: OpaquePointer] = [:]
      for part in row.programs {
        let name = part.name(of: row)
        guard let program = programs[name] else { continue }
        let link: OpaquePointer?
        switch row.rung {
        case .fexit: link = bpf_program__attach_trace(program)
        case .tracepoint: link = bpf_program__attach_raw_tracepoint(program, row.hook.symbol)
        default:
          link = attachProbe(program, atReturn: !part.isEntry, row)
        }
        if let link {
          attached[name] = link
          continue
        }
        attachFailures.append(
          (row.hook.symbol, .notAttached("\(Errno(rawValue: errno))")))
        // all of a hook or nothing: another rung may take it
        for link in attached.values { bpf_link__destroy(link) }
        attached = [:]
        break
      }
      links.merge(attached) { $1 }
    }
  }

  private func attachProbe(
    _ program: OpaquePointer, atReturn: Bool, _ row: HookPlan.Row
  ) -> OpaquePointer? {
    guard access == .link else {
      return bpf_program__attach_kprobe(program, atReturn, row.target)
    }
    // by address: names of modules' functions are found from 6.2 on only
    return cbpf_attach_probe_link(program, UInt(row.address), atReturn ? 1 : 0)
  }
}
