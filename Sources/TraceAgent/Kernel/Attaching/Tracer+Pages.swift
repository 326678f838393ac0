// SPDX-License-Identifier: Apache-2.0

import CBPF
import CEvents

extension Tracer {
  /// The pages counted so far by what their entries said, summed over the CPUs.
  package func pageCounts() -> [(key: mrt_pages_key, count: UInt64)] {
    let cpus = Int(libbpf_num_possible_cpus())
    guard cpus > 0 else { return [] }
    let descriptor = mapDescriptor("pages")
    var counts: [(key: mrt_pages_key, count: UInt64)] = []
    var key = mrt_pages_key()
    var next = mrt_pages_key()
    var values = [UInt64](repeating: 0, count: cpus)
    var found = bpf_map_get_next_key(descriptor, nil, &next)
    // Bounded: a walk over a map that changes may begin anew.
    while found == 0, counts.count < Tracer.pageCountLimit {
      key = next
      if bpf_map_lookup_elem(descriptor, &key, &values) == 0 {
        counts.append((key, values.reduce(0, &+)))
      }
      found = bpf_map_get_next_key(descriptor, &key, &next)
    }
    return counts
  }

  private static var pageCountLimit: Int { 512 }
}
