// SPDX-License-Identifier: Apache-2.0

import CBPF
import CEvents

extension Tracer {
  /// Gives up what is no longer needed, for good, once everything is attached and the command has been
  /// forked (it keeps its privileges). Again after a late attach: less may be needed then.
  package func dropPrivileges(
    writing directories: [String] = [], command: Bool = false, attachLater: Bool = false
  ) {
    // not self: a closure cannot borrow it
    let counters = mapDescriptor("counters")
    let waits = !plan.later().isEmpty
    Privileges.drop(
      needs: .init(
        attachLater: attachLater || waits,
        wholeRDMALater: waits && Directory.names(in: "/sys/class/infiniband").isEmpty,
        command: command, directories: directories),
      works: { Tracer.isReadable(counters) })
  }

  private static func isReadable(_ counters: CInt) -> Bool {
    let cpus = Int(libbpf_num_possible_cpus())
    guard cpus > 0 else { return false }
    var key: UInt32 = 0
    var values = [mrt_counts](repeating: mrt_counts(), count: cpus)
    return bpf_map_lookup_elem(counters, &key, &values) == 0
  }
}
