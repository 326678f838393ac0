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
  private var maps: [UInt32: [Mapped]] = [:]

  private struct UserAddress: Hashable { var pid: UInt32; var address: UInt64 }
  private struct Mapped { var start: UInt64; var end: UInt64; var offset: UInt64; var name: String }

  /// Bounds on what is remembered: stacks of a run repeat.
  private static let limit = 65536
  private static let processLimit = 64

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
      guard let name = known(key) ?? name(of: address, in: pid) else { continue }
      remember(name, of: key)
      told.insert(key)
      events.append(Event.userSymbol(address: address, pid: pid, name: name, timeNs: timeNs))
    }
    return events
  }

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
    let unnamed = addresses.filter { kernelNames[$0] == nil }
    if !unnamed.isEmpty {
      if kernelNames.count > StackNames.limit { kernelNames = [:] }
      let wanted = kernelNames.isEmpty ? addresses : unnamed
      kernelNames.merge(KernelSymbols.names(of: wanted)) { _, new in new }
    }
    return addresses.sorted().compactMap { address in
      kernelNames[address].map {
        Event.kernelSymbol(address: address, name: $0, timeNs: timeNs)
      }
    }
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

  /// "libibverbs.so.1+0x1a2b": file and offset in it, as addr2line and perf take them.
  private mutating func name(of address: UInt64, in pid: UInt32) -> String? {
    if let found = maps[pid].flatMap({ StackNames.find(address, in: $0) }) { return found }
    if maps.count >= StackNames.processLimit { maps = [:] }
    maps[pid] = StackNames.readMaps(pid)
    return maps[pid].flatMap { StackNames.find(address, in: $0) }
  }

  private static func find(_ address: UInt64, in maps: [Mapped]) -> String? {
    guard let mapped = maps.first(where: { $0.start <= address && address < $0.end }) else {
      return nil
    }
    return "\(mapped.name)+0x\(String(address - mapped.start + mapped.offset, radix: 16))"
  }

  private static func readMaps(_ pid: UInt32) -> [Mapped] {
    guard let text = TextFile.read("/proc/\(pid)/maps") else { return [] }
    return text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
      guard fields.count == 6 else { return nil }
      let range = fields[0].split(separator: "-")
      guard range.count == 2, let start = UInt64(range[0], radix: 16),
        let end = UInt64(range[1], radix: 16), let offset = UInt64(fields[2], radix: 16)
      else { return nil }
      let path = fields[5].drop(while: { $0 == " " })
      let name = path.split(separator: "/").last.map(String.init) ?? String(path)
      return Mapped(start: start, end: end, offset: offset, name: name)
    }
  }
}
