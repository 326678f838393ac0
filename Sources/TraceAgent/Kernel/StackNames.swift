// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events

/// Names for the addresses in recorded stacks, found while the machine is still the one that was recorded.
package struct StackNames: Sendable {
  private var kernel: Set<UInt64> = []
  private var user: [UserAddress: String] = [:]
  private var maps: [UInt32: [Mapped]] = [:]

  private struct UserAddress: Hashable { var pid: UInt32; var address: UInt64 }
  private struct Mapped { var start: UInt64; var end: UInt64; var offset: UInt64; var name: String }

  /// Bounds on what is remembered: stacks of a run repeat.
  private static let limit = 65536

  package init() {}

  /// Takes a stack in; returns names of user addresses not named before, while their process is there.
  package mutating func learn(_ stack: StackRecord, timeNs: UInt64) -> [Event] {
    guard stack.what == MRT_STACK_USER.rawValue else {
      if kernel.count < StackNames.limit { kernel.formUnion(stack.addresses) }
      return []
    }
    let pid = stack.header.pid
    var events: [Event] = []
    for address in stack.addresses {
      let key = UserAddress(pid: pid, address: address)
      guard user[key] == nil, user.count < StackNames.limit else { continue }
      guard let name = name(of: address, in: pid) else { continue }
      user[key] = name
      events.append(Event.userSymbol(address: address, pid: pid, name: name, timeNs: timeNs))
    }
    return events
  }

  /// Names of all kernel addresses seen: one pass over /proc/kallsyms.
  package func kernelSymbols(timeNs: UInt64) -> [Event] {
    KernelSymbols.names(of: kernel).sorted { $0.key < $1.key }.map {
      Event.kernelSymbol(address: $0.key, name: $0.value, timeNs: timeNs)
    }
  }

  /// "libibverbs.so.1+0x1a2b": file and offset in it, as addr2line and perf take them.
  private mutating func name(of address: UInt64, in pid: UInt32) -> String? {
    if let found = maps[pid].flatMap({ StackNames.find(address, in: $0) }) { return found }
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
