// SPDX-License-Identifier: Apache-2.0

import Model

extension Advice {
  /// enum ib_uverbs_advise_mr_advice, without its prefix; nil for a number without a name.
  var adviceName: String? {
    switch advice {
    case 0: "PREFETCH"
    case 1: "PREFETCH_WRITE"
    case 2: "PREFETCH_NO_FAULT"
    default: nil
    }
  }

  /// enum ib_uverbs_advise_mr_flag; bits without a name as one hexadecimal number.
  var flagNames: [String] {
    var names = flags & 1 != 0 ? ["FLUSH"] : []
    if flags & ~1 != 0 { names.append(Quantity.hex(UInt64(flags & ~1))) }
    return names
  }
}

extension Diagnosis.Delivered {
  /// How the user learnt of it.
  var words: String {
    switch self {
    case .syscall: "returned by the system call"
    case .completion: "seen as an error completion"
    case .discarded: "told to nobody"
    }
  }
}

extension Operation {
  /// Who the memory belongs to and who ran the kernel code, as far as known.
  package struct People: Equatable {
    /// The owner.
    package var pid: Int?
    package var comm: String?
    /// The calling thread: only where the owner itself ran the operation.
    package var tid: Int?
    /// The task that ran it for the owner.
    package var worker: Task?
  }

  package var people: People {
    // Of a system call the runner is the owner unless another one was read.
    let runByOwner = ownerPID == runner.pid || kind.isSystemCall && ownerPID == nil
    return runByOwner
      ? People(pid: runner.pid, comm: ownerComm ?? runner.comm, tid: runner.tid, worker: nil)
      : People(pid: ownerPID, comm: ownerComm, tid: nil, worker: runner)
  }

  /// nil where the start was not seen, or the clock ran backwards (a broken recording).
  package var durationNs: UInt64? {
    guard let startNs, startNs <= endNs else { return nil }
    return endNs - startNs
  }
}
