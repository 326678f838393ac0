// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events

/// Names for the addresses in recorded stacks, found while the machine is still the one that was recorded.
///
/// What is found is remembered for the parts to come, within bounds: a run may last for weeks.
package struct StackNames: Sendable {
  /// Of the recording, or of its part: addresses in the kernel, and those of processes that have their name in it.
  private var kernel: Set<UInt64> = []
  private var told: Set<UserAddress> = []
  private var kernelNames: [UInt64: String] = [:]
  private var user: [UserAddress: String] = [:]
  /// Those of longer ago.
  private var olderUser: [UserAddress: String] = [:]
  private var maps: [UInt32: (maps: ProcessMaps, atNs: UInt64)] = [:]
  /// No mapping with a name held them when they were last looked for.
  private var nameless: Set<UserAddress> = []

  private struct UserAddress: Hashable { var pid: UInt32; var address: UInt64 }

  /// Bounds on what is remembered: stacks of a run repeat.
  private static let limit = 65536
  private static let processLimit = 64
  /// A nameless address is looked for again after this time of the records: a library may have been loaded.
  private static let freshNs: UInt64 = 1_000_000_000
  /// Addresses from here on are the kernel's (57 bits, 5-level paging), or none.
  private static let userEnd: UInt64 = 1 << 56

  package init() {}

  /// A part begins: it must have all names that it needs.
  package mutating func beginPart() {
    kernel.removeAll(keepingCapacity: true)
    told.removeAll(keepingCapacity: true)
  }

  /// Takes a stack in; returns names of user addresses not named before in this part. They are found while their
  /// process is there.
  package mutating func learn(_ stack: StackRecord, timeNs: UInt64) -> [Event] {
    guard stack.what == MRT_STACK_USER.rawValue else {
      if kernel.count < StackNames.limit { kernel.formUnion(stack.addresses) }
      return []
    }
    let pid = stack.header.pid
    var events: [Event] = []
    for address in stack.addresses {
      let key = UserAddress(pid: pid, address: address)
      guard !told.contains(key), told.count < StackNames.limit else { continue }
      guard let name = known(key) ?? name(of: address, in: pid, timeNs: timeNs)
      else { continue }
      remember(name, of: key)
      told.insert(key)
      events.append(Event.userSymbol(address: address, pid: pid, name: name, timeNs: timeNs))
    }
    return events
  }

  /// Finds the names of all kernel addresses seen in this part, while the programs are attached: trampolines go with them.
  package mutating func nameKernel() { nameKernel(kernel) }

  /// Names of all kernel addresses seen in this part.
  package mutating func kernelSymbols(timeNs: UInt64) -> [Event] {
    kernelSymbols(of: kernel, timeNs: timeNs)
  }

  /// Names of all addresses in `stacks`, as far as they have been found.
  package mutating func symbols(of stacks: [StackRecord], timeNs: UInt64) -> [Event] {
    beginPart()
    var events: [Event] = []
    for stack in stacks { events += learn(stack, timeNs: timeNs) }
    return events + kernelSymbols(timeNs: timeNs)
  }

  /// One pass over /proc/kallsyms, where there is an address without a name.
  private mutating func kernelSymbols(of addresses: Set<UInt64>, timeNs: UInt64) -> [Event] {
    nameKernel(addresses)
    return addresses.sorted().compactMap { address in
      kernelNames[address].map {
        Event.kernelSymbol(address: address, name: $0, timeNs: timeNs)
      }
    }
  }

  private mutating func nameKernel(_ addresses: Set<UInt64>) {
    let unnamed = addresses.filter { kernelNames[$0] == nil }
    guard !unnamed.isEmpty else { return }
    if kernelNames.count > StackNames.limit { kernelNames = [:] }
    let wanted = kernelNames.isEmpty ? addresses : unnamed
    kernelNames.merge(KernelSymbols.names(of: wanted)) { _, new in new }
  }

  private func known(_ key: UserAddress) -> String? { user[key] ?? olderUser[key] }

  private mutating func remember(_ name: String, of key: UserAddress) {
    guard user[key] == nil else { return }
    if user.count >= StackNames.limit {
      olderUser = user
      user = [:]
    }
    user[key] = name
  }

  /// A stack without frame pointers has words in it that are no addresses: for those no maps are read again and again.
  private mutating func name(of address: UInt64, in pid: UInt32, timeNs: UInt64) -> String? {
    guard address < StackNames.userEnd else { return nil }
    if let read = maps[pid] {
      if let found = read.maps.name(of: address) { return found }
      let isFresh = timeNs < read.atNs || timeNs - read.atNs < StackNames.freshNs
      if isFresh, nameless.contains(UserAddress(pid: pid, address: address)) { return nil }
    }
    if maps.count >= StackNames.processLimit { maps = [:] }
    let read = ProcessMaps(of: pid)
    // of a process that has gone the old ones are all there is
    if !read.mappings.isEmpty || maps[pid] == nil { maps[pid] = (read, timeNs) }
    if let found = read.name(of: address) { return found }
    if nameless.count >= StackNames.limit { nameless = [] }
    nameless.insert(UserAddress(pid: pid, address: address))
    return nil
  }
}
