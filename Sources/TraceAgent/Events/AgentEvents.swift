// SPDX-License-Identifier: Apache-2.0

import CEvents

/// The records that the agent makes itself.
extension Event {
  /// One hook's totals at `timeNs`. `rung` is how the hook was attached.
  package static func counter(
    hook: UInt32, rung: mrt_rung, counts: mrt_counts, missed: UInt64, timeNs: UInt64
  ) -> Event {
    var record = mrt_counter()
    record.h = mrt_header(agentTimeNs: timeNs, hook: hook)
    record.counts = counts
    record.missed = missed
    record.rung = rung.rawValue
    return .counter(record)
  }

  /// Evidence of `hook` that is missing, as far as it is known at `timeNs`.
  package static func shed(_ shed: mrt_shed, hook: UInt32, timeNs: UInt64) -> Event {
    var record = shed
    record.h = mrt_header(agentTimeNs: timeNs, hook: hook)
    return .shed(record)
  }

  /// What became of the calls of `hook`'s function, as far as it is known at `timeNs`.
  package static func account(_ account: mrt_account, hook: UInt32, timeNs: UInt64) -> Event {
    var record = account
    record.h = mrt_header(agentTimeNs: timeNs, hook: hook)
    return .account(record)
  }

  /// Pages that HMM walked, counted by the kernel side under `key`.
  package static func pages(_ key: mrt_pages_key, count: UInt64, timeNs: UInt64) -> Event {
    var record = mrt_pages()
    record.h = mrt_header(agentTimeNs: timeNs, hook: MRT_HOOK_WALK_PMD.rawValue)
    record.bits = key.bits
    record.pages = count
    record.level = key.level
    record.outcome = key.outcome
    record.weight = key.weight
    return .pages(record)
  }

  /// The path of a control group.
  package static func cgroup(_ cgroup: UInt64, path: String, timeNs: UInt64) -> Event {
    .cgroup(CgroupRecord(header: mrt_header(agentTimeNs: timeNs), cgroup: cgroup, path: path))
  }

  /// The name of a kernel address.
  package static func kernelSymbol(address: UInt64, name: String, timeNs: UInt64) -> Event {
    .symbol(
      SymbolRecord(
        header: mrt_header(agentTimeNs: timeNs), address: address, what: MRT_STACK_KERNEL.rawValue,
        name: name))
  }

  /// The name of an address in process `pid`.
  package static func userSymbol(
    address: UInt64, pid: UInt32, name: String, timeNs: UInt64
  ) -> Event {
    var header = mrt_header(agentTimeNs: timeNs)
    header.pid = pid
    return .symbol(
      SymbolRecord(header: header, address: address, what: MRT_STACK_USER.rawValue, name: name))
  }
}

extension mrt_header {
  /// Of a record that belongs to no operation and no task.
  fileprivate init(agentTimeNs timeNs: UInt64, hook: UInt32 = 0) {
    self.init()
    time_ns = timeNs
    self.hook = hook
  }
}
