// SPDX-License-Identifier: Apache-2.0

import CBPF
import CEvents
import Model

/// What an operation must have to be recorded, besides its process (``TracerSettings/processes``):
/// kinds are combined by AND, values of a kind by OR; an empty kind asks for nothing.
package struct OperationFilter: Equatable, Sendable {
  /// Names of the owner's thread or process, 15 bytes at most.
  package var comms: [String] = []
  /// Numbers of control groups; what is below them belongs to them.
  package var cgroups: [UInt64] = []
  /// Control groups are asked for, of which there may be none yet.
  package var awaitsCgroups = false
  package var devices: [String] = []
  /// Of failures; successes are not concerned.
  package var errnos: [Errno] = []

  package init() {}

  /// Bytes of a name that the kernel keeps of a task (TASK_COMM_LEN without its NUL).
  package static let commLength = 15
  /// As IB_DEVICE_NAME_MAX, without its NUL.
  package static let deviceLength = 63
  package static let valuesLimit = Int(MRT_FILTER_VALUES)
  package static let errnosLimit = Int(MRT_FILTER_ERRNOS)

  /// It needs to know whose memory it is.
  package var asksForOwner: Bool { !comms.isEmpty || asksForCgroups }
  var asksForCgroups: Bool { awaitsCgroups || !cgroups.isEmpty }
}

extension TracerSettings {
  /// As `struct mrt_config` has it.
  func configure(_ config: inout mrt_config) {
    if filters { config.filter |= UInt32(MRT_FILTER_PID) }
    if !filter.comms.isEmpty { config.filter |= UInt32(MRT_FILTER_COMM) }
    if filter.asksForCgroups { config.filter |= UInt32(MRT_FILTER_CGROUP) }
    if !filter.devices.isEmpty { config.filter |= UInt32(MRT_FILTER_DEVICE) }
    func address(_ name: String) -> UInt64 { symbols[name]?.address ?? 0 }
    config.zero_pfn = address("zero_pfn")
    config.empty_zero_page = address("empty_zero_page")
    config.phys_base = address("phys_base")
    config.page_offset_base = address("page_offset_base")
    config.physical_mask = address("physical_mask")
    config.pgdir_shift = address("pgdir_shift")
    config.init_user_ns = address("init_user_ns")
    config.per_cpu_offset = address("__per_cpu_offset")
    config.hstates = address("hstates")
    config.cpus = UInt32(max(0, libbpf_num_possible_cpus()))
    config.pid_namespace = PIDNamespace.ofThisProcess()?.inode ?? 0
    let errnos = filter.errnos.prefix(OperationFilter.errnosLimit)
    config.errno_count = UInt32(errnos.count)
    withUnsafeMutableBytes(of: &config.errnos) { bytes in
      for (index, errno) in errnos.enumerated() {
        let number = UInt32(bitPattern: errno.rawValue)
        bytes.storeBytes(of: number, toByteOffset: 4 * index, as: UInt32.self)
      }
    }
  }
}

extension Tracer {
  /// Tells the programs what is wanted; before that nothing is.
  func fillFilters(_ filter: OperationFilter) {
    for comm in filter.comms { allow(Self.text(comm, cells: 16), in: "wanted_comms") }
    for device in filter.devices { allow(Self.text(device, cells: 64), in: "wanted_devices") }
    for cgroup in filter.cgroups { watch(group: cgroup) }
  }

  func watch(group: UInt64) {
    allow(withUnsafeBytes(of: group) { Array($0) }, in: "wanted_cgroups")
  }

  func unwatch(group: UInt64) {
    var key = group
    _ = bpf_map_delete_elem(mapDescriptor("wanted_cgroups"), &key)
  }

  private func allow(_ key: [UInt8], in map: String) {
    var one: UInt8 = 1
    _ = bpf_map_update_elem(mapDescriptor(map), key, &one, 0)
  }

  /// Filled up with NUL, and ended by at least one.
  private static func text(_ text: String, cells: Int) -> [UInt8] {
    let bytes = Array(text.utf8.prefix(cells - 1))
    return bytes + [UInt8](repeating: 0, count: cells - bytes.count)
  }
}
