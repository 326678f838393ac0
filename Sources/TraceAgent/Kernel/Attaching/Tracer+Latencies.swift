// SPDX-License-Identifier: Apache-2.0

import CBPF
import CEvents
import Model

/// What the kernel side has counted of operations and invalidations, summed over the CPUs.
package struct KernelLatencies: Sendable {
  package var succeeded: [Operation.Kind: LogBuckets] = [:]
  package var failed: [Operation.Kind: LogBuckets] = [:]
  /// nil: no driver's invalidations are hooked.
  package var invalidations: LogBuckets?
}

extension Tracer {
  /// Empty unless ``TracerSettings/statistics``.
  package func latencies() -> KernelLatencies {
    var latencies = KernelLatencies()
    for kind in Operation.Kind.allCases {
      let slot = kind.number * 2
      latencies.succeeded[kind] = buckets(slot: slot)
      latencies.failed[kind] = buckets(slot: slot + 1)
    }
    let hooks = [MRT_HOOK_RXE_INVALIDATE, MRT_HOOK_MLX5_INVALIDATE]
    // Which device gives pages back is not looked at.
    if settings.filter.devices.isEmpty,
      plan.attached().contains(where: { hooks.contains($0.hook.id) })
    {
      latencies.invalidations = buckets(slot: UInt32(MRT_LATENCY_INVALIDATION))
    }
    return latencies
  }

  private func buckets(slot: UInt32) -> LogBuckets {
    var sum = LogBuckets()
    let cpus = Int(libbpf_num_possible_cpus())
    guard cpus > 0 else { return sum }
    let words = 2 + LogBuckets.size
    precondition(words * 8 == MemoryLayout<mrt_latencies>.size)
    var values = [UInt64](repeating: 0, count: words * cpus)
    var key = slot
    guard bpf_map_lookup_elem(mapDescriptor("latencies"), &key, &values) == 0 else { return sum }
    for cpu in 0..<cpus {
      let first = cpu * words
      sum.add(
        counts: values.span.extracting(first + 2..<first + words), sumNs: values[first],
        maximumNs: values[first + 1])
    }
    return sum
  }
}
