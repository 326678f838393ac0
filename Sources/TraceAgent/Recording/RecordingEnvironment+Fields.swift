// SPDX-License-Identifier: Apache-2.0

import Model

extension RecordingEnvironment {
  static let tracerName = "mrtrace"

  /// Items of a list at most: a damaged count must not become a long loop.
  private static let listLimit = 4096

  var fields: EnvironmentFields {
    var fields = EnvironmentFields()
    fields.set("tracer_name", Self.tracerName)
    fields.set("tracer_version", toolVersion)
    fields.set("format_major", formatMajor)
    fields.set("format_minor", formatMinor)
    fields.set("sysname", "Linux")
    fields.set("hostname", hostname)
    fields.set("kernel_release", traits.release)
    fields.set("kernel_version", kernelVersion)
    fields.set("kernel_build_id", buildID)
    fields.set("machine", traits.machine)
    fields.set("detail", detail)
    fields.set("clock_offset_ns", clockOffsetNs)
    fields.set("start_wall_ns", startWallNs)
    fields.set("run_uuid", runUUID)
    fields.set("part", part)
    fields.set("part_end", partEnd?.rawValue)
    fields.set("complete_from_ns", completeFromNs)
    fields.set("overwritten_records", overwritten)
    if !unwatched.isEmpty { fields.set("unwatched_count", unwatched.count) }
    for (index, one) in unwatched.enumerated() {
      fields.set("unwatched_\(index)_module", one.module)
      fields.set("unwatched_\(index)_from_ns", one.fromNs)
      fields.set("unwatched_\(index)_to_ns", one.toNs)
      if one.isFirst { fields.set("unwatched_\(index)_first", 1) }
    }
    if !devices.isEmpty { fields.set("device_count", devices.count) }
    for (index, device) in devices.enumerated() {
      fields.set("device_\(index)_name", device.name)
      fields.set("device_\(index)_driver", device.driver)
    }
    fields.set("command_count", commandLine.count)
    for (index, argument) in commandLine.enumerated() { fields.set("command_\(index)", argument) }
    fields.set(traits)
    fields.set("plan_count", hookPlan.count)
    for (index, hook) in hookPlan.enumerated() {
      fields.set("plan_\(index)_hook", hook.hook)
      fields.set("plan_\(index)_symbol", hook.symbol)
      fields.set("plan_\(index)_module", hook.module)
      fields.set("plan_\(index)_rung", hook.rungName)
      fields.set("plan_\(index)_note", hook.note)
    }
    return fields
  }

  init(_ fields: EnvironmentFields) throws(MetadataError) {
    guard try fields.optionalString("tracer_name") == Self.tracerName else { throw .foreign }
    let major: Int = try fields.number("format_major")
    guard major <= Self.formatMajor else { throw .newerMajor(major) }
    self.init(
      toolVersion: try fields.string("tracer_version"),
      traits: try fields.traits(),
      kernelVersion: try fields.string("kernel_version"),
      buildID: try fields.optionalString("kernel_build_id"),
      hostname: try fields.string("hostname"),
      commandLine: [],
      detail: try fields.string("detail"),
      hookPlan: [],
      clockOffsetNs: try fields.number("clock_offset_ns"),
      startWallNs: try fields.number("start_wall_ns"))
    formatMajor = major
    formatMinor = try fields.number("format_minor")
    runUUID = try fields.optionalString("run_uuid")
    part = try fields.optionalNumber("part", in: 1...Int.max)
    partEnd = try fields.optionalString("part_end").flatMap(PartEnd.init)
    completeFromNs = try fields.optionalNumber("complete_from_ns")
    overwritten = try fields.optionalNumber("overwritten_records")
    let unwatchedCount: Int? = try fields.optionalNumber("unwatched_count", in: 0...Self.listLimit)
    for index in 0..<(unwatchedCount ?? 0) {
      unwatched.append(
        UnwatchedModule(
          module: try fields.string("unwatched_\(index)_module"),
          fromNs: try fields.number("unwatched_\(index)_from_ns"),
          toNs: try fields.number("unwatched_\(index)_to_ns"),
          isFirst: try fields.optionalNumber("unwatched_\(index)_first", in: 0...1) == 1))
    }
    let deviceCount: Int? = try fields.optionalNumber("device_count", in: 0...Self.listLimit)
    for index in 0..<(deviceCount ?? 0) {
      devices.append(
        Sight.Device(
          name: try fields.string("device_\(index)_name"),
          driver: try fields.optionalString("device_\(index)_driver")))
    }
    for index in 0..<(try fields.number("command_count", in: 0...Self.listLimit)) {
      commandLine.append(try fields.string("command_\(index)"))
    }
    for index in 0..<(try fields.number("plan_count", in: 0...Self.listLimit)) {
      hookPlan.append(
        PlannedHook(
          hook: try fields.number("plan_\(index)_hook"),
          symbol: try fields.string("plan_\(index)_symbol"),
          module: try fields.optionalString("plan_\(index)_module"),
          rungName: try fields.string("plan_\(index)_rung"),
          note: try fields.optionalString("plan_\(index)_note")))
    }
  }
}

extension EnvironmentFields {
  fileprivate mutating func set(_ traits: KernelTraits) {
    let tables = traits.pageTables
    set("page_architecture", tables.architecture.rawValue)
    set("page_levels", tables.levels)
    set("page_devmap_bit", tables.devmapBit)
    set("page_saved_dirty_bit", tables.savedDirtyBit)
    let swap = tables.swapTypes
    set("swap_files", swap.maxSwapFiles)
    set("swap_hwpoison", swap.hwpoison)
    set("swap_migration_read", swap.migrationRead)
    set("swap_migration_read_exclusive", swap.migrationReadExclusive)
    set("swap_migration_write", swap.migrationWrite)
    set("swap_device_write", swap.deviceWrite)
    set("swap_device_read", swap.deviceRead)
    set("swap_device_exclusive_count", swap.deviceExclusive.count)
    for (index, type) in swap.deviceExclusive.enumerated() {
      set("swap_device_exclusive_\(index)", type)
    }
    set("swap_pte_marker", swap.pteMarker)
    set("swap_swapin_error", swap.swapinError)
    set("hmm_special_rule", traits.specialRule.rawValue)
    set("hmm_faults_outside_walk", traits.faultsOutsideWalk)
    set("hmm_rejects_mixed_map", traits.rejectsMixedMap)
    set("pin_for_write_always", traits.pinsForWriteAlways)
    set("pin_refuses_files", traits.refusesFilePins)
    set("zero_pfn", traits.zeroPFN)
  }

  fileprivate func traits() throws(MetadataError) -> KernelTraits {
    var traits = KernelTraits(
      machine: try string("machine"), release: try string("kernel_release"),
      pageTables: PageTableFormat(
        architecture: try choice("page_architecture"),
        devmapBit: try optionalNumber("page_devmap_bit", in: 0...63),
        savedDirtyBit: try optionalNumber("page_saved_dirty_bit", in: 0...63),
        swapTypes: try swapTypes(), levels: try number("page_levels", in: 2...5)),
      specialRule: try choice("hmm_special_rule"),
      faultsOutsideWalk: try flag("hmm_faults_outside_walk"),
      rejectsMixedMap: try flag("hmm_rejects_mixed_map"),
      pinsForWriteAlways: try flag("pin_for_write_always"),
      refusesFilePins: try flag("pin_refuses_files"))
    traits.zeroPFN = try optionalNumber("zero_pfn")
    return traits
  }

  private func swapTypes() throws(MetadataError) -> SwapTypes {
    var exclusive: [UInt8] = []
    for index in 0..<(try number("swap_device_exclusive_count", in: 0...32) as Int) {
      exclusive.append(try number("swap_device_exclusive_\(index)"))
    }
    return SwapTypes(
      maxSwapFiles: try number("swap_files"), hwpoison: try number("swap_hwpoison"),
      migrationRead: try number("swap_migration_read"),
      migrationReadExclusive: try optionalNumber("swap_migration_read_exclusive"),
      migrationWrite: try number("swap_migration_write"),
      deviceWrite: try optionalNumber("swap_device_write"),
      deviceRead: try optionalNumber("swap_device_read"), deviceExclusive: exclusive,
      pteMarker: try optionalNumber("swap_pte_marker"),
      swapinError: try optionalNumber("swap_swapin_error"))
  }
}
