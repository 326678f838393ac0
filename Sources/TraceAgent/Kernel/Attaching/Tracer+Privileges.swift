// SPDX-License-Identifier: Apache-2.0

import CBPF

extension Tracer {
  /// Gives up what is no longer needed, for good, once everything is attached and the command has been
  /// forked (it keeps its privileges). Again after a late attach: less may be needed then.
  package func dropPrivileges(
    writing directories: [String] = [], command: Bool = false, attachLater: Bool = false
  ) {
    // not self: a closure cannot borrow it
    let counters = mapDescriptor("counters")
    let waits = !plan.later().isEmpty
    // modules that may go and come back
    let attachLater = attachLater || !probed.isEmpty
    Privileges.drop(
      needs: .init(
        attachLater: attachLater || waits,
        wholeRDMALater: waits && Directory.names(in: "/sys/class/infiniband").isEmpty,
        command: command, directories: directories),
      works: { Tracer.isReadable(counters) })
  }

  /// Asks for a key alone: no value whose size would have to be known.
  private static func isReadable(_ counters: CInt) -> Bool {
    var next: UInt64 = 0
    return bpf_map_get_next_key(counters, nil, &next) == 0
  }
}
