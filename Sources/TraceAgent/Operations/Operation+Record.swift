// SPDX-License-Identifier: Apache-2.0

import CEvents
import Events
import Model

extension Operation {
  /// What `struct mrt_operation` says of an operation; nil for a kind of a later version.
  ///
  /// A field whose MRT_HAS_… bit is clear was not read: it stays nil, whatever its bytes are.
  init?(_ record: mrt_operation) {
    guard let kind = Kind(number: record.kind) else { return nil }
    let comm = CText.string(in: record.comm)
    self.init(
      kind: kind, runner: Task(pid: Int(record.h.pid), tid: Int(record.h.tid), comm: comm),
      endNs: record.h.time_ns, result: record.result)
    let has = { record.has & $0 != 0 }
    if has(MRT_HAS_START) { startNs = record.start_ns }
    if has(MRT_HAS_UNSEEN_CALLER) { kindSeen = false }
    if has(MRT_HAS_MR) {
      mr.address = record.mr_address
      mr.length = record.mr_length
    }
    if has(MRT_HAS_IOVA) { mr.iova = record.mr_iova }
    if has(MRT_HAS_ACCESS) { mr.access = record.access }
    if has(MRT_HAS_DEVICE) { device = CText.string(in: record.device) }
    if has(MRT_HAS_CAPS) { deviceHasODP = record.device_caps & MRT_CAP_ON_DEMAND != 0 }
    if has(MRT_HAS_FLUSH_CAPS) { deviceFlush = Self.flushFlags(record.device_caps) }
    if has(MRT_HAS_DRIVER_OPS) { driverHasAdvise = record.driver_ops & MRT_DRIVER_ADVISE_MR != 0 }
    if has(MRT_HAS_ADVICE) {
      advice = Advice(advice: record.advice, flags: record.advise_flags, sgeCount: record.num_sge)
    }
    if has(MRT_HAS_REQUEST) {
      request = AddressRange(start: record.request_address, length: record.request_length)
    }
    if has(MRT_HAS_LKEY) { lkey = record.lkey }
    if record.umem != 0 { umemIdentity = record.umem }
    mapEntrySeen = has(MRT_HAS_MAP_ENTRY)
    if has(MRT_HAS_OWNER) {
      ownerPID = Int(record.owner_pid)
    } else if kind.isSystemCall {
      ownerPID = runner.pid
    }
    if has(MRT_HAS_OWNER_COMM) {
      ownerComm = CText.string(in: record.owner_comm)
    } else if ownerPID == runner.pid {
      ownerComm = comm
    }
    lost = Int(record.lost)
    if startNs == nil || !kindSeen {
      entryMissed = true
      lost += 1
    }
    if has(MRT_HAS_REPEATED) { repeatsAfterNs = UInt64(record.repeats_ns) }
  }

  /// What a record tells of the process that owns the memory, as `init` reads it: its pid and, with
  /// length 0 where it is not told, its comm.
  static func owner(in record: mrt_operation) -> (pid: Int, comm: Comm)? {
    let pid = Int(record.h.pid)
    let isKnown = record.has & MRT_HAS_OWNER != 0
    guard let kind = Kind(number: record.kind), isKnown || kind.isSystemCall else { return nil }
    let owner = isKnown ? Int(record.owner_pid) : pid
    if record.has & MRT_HAS_OWNER_COMM != 0 { return (owner, Comm(record.owner_comm)) }
    return (owner, owner == pid ? Comm(record.comm) : Comm())
  }

  /// The access flags that a device's flush capabilities allow.
  private static func flushFlags(_ capabilities: UInt32) -> UInt32 {
    var flags: AccessFlags = []
    if capabilities & MRT_CAP_FLUSH_GLOBAL != 0 { flags.insert(.flushGlobal) }
    if capabilities & MRT_CAP_FLUSH_PERSISTENT != 0 { flags.insert(.flushPersistent) }
    return flags.rawValue
  }
}
