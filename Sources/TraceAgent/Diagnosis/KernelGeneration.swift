// SPDX-License-Identifier: Apache-2.0

import Model

/// The releases between two changes of the rules of HMM and of long-term pins.
///
/// Numbers are those of kernel.org; distributions take changes earlier. This table serves the
/// computation of what other kernels would do; the running kernel's rules come from `KernelTraits`.
struct KernelGeneration: Sendable {
  /// First and last release; no last: up to the newest that is known.
  var first: String
  var last: String?
  /// Stable releases of older kernels to which the change that begins this generation was brought.
  var stable: [String] = []
  var hmm: HMMRules
  var pin: PinRules
  /// Markers that the kernel can set.
  var markers: PTEMarker
  /// What HMM does with markers is known.
  var tellsMarkers = true
  /// memfd_secret() exists.
  var hasSecretMemory = true

  static let newest = "7.3"

  static let all: [KernelGeneration] = {
    var rules = HMMRules(
      devmap: .refused, refusesMarkers: false, refusesDevicePrivate: true, refusesMixedMap: true,
      waitsForUserfaultfd: false)
    var pin = PinRules(pinsForWriteAlways: true, refusesFilePins: false)
    var markers: PTEMarker = []
    func generation(
      _ first: String, to last: String?, stable: [String] = [], secret: Bool = true
    ) -> KernelGeneration {
      KernelGeneration(
        first: first, last: last, stable: stable, hmm: rules, pin: pin, markers: markers,
        hasSecretMemory: secret)
    }
    // ODP goes through HMM since 5.10 (36f30e486dce).
    var all = [generation("5.10", to: "5.14", secret: false)]
    // DevmapFix: special PTEs with DEVMAP pass.
    rules.devmap = .accepted
    all.append(generation("5.15", to: "5.16", stable: DevmapFix.stable.map(\.description)))
    // 87c01d57fa23: VM_MIXEDMAP mappings are walked.
    rules.refusesMixedMap = false
    all.append(generation("5.17", to: "5.18", stable: ["5.10.94"]))
    // 8a295dbbaf72: another owner's device-private pages are faulted back; markers.
    rules.refusesDevicePrivate = false
    markers = .uffdWP
    all.append(generation("5.19", to: "6.1"))
    // "RDMA/umem: remove FOLL_FORCE usage"; pages lost in swap become markers.
    pin.pinsForWriteAlways = false
    markers.insert(.poisoned)
    all.append(generation("6.2", to: "6.4"))
    // "mm/gup: disallow FOLL_LONGTERM GUP-nonfast writing to file-backed mappings"
    pin.refusesFilePins = true
    all.append(generation("6.5", to: "6.12"))
    // MADV_GUARD_INSTALL
    markers.insert(.guardRegion)
    all.append(generation("6.13", to: "6.14"))
    // fsdax pages are counted and mapped like others; 6.17 drops the DEVMAP bit.
    rules.devmap = .ordinary
    all.append(generation("6.15", to: "6.18"))
    all.append(generation("6.19", to: "6.19"))
    all[all.count - 1].tellsMarkers = false
    // pte_none_mostly() goes: markers but userfaultfd's are errors.
    rules.refusesMarkers = true
    all.append(generation("7.0", to: "7.2"))
    // Faults may drop the mmap lock.
    rules.waitsForUserfaultfd = true
    all.append(generation("7.3", to: nil))
    return all
  }()
}

extension KernelGeneration {
  /// "5.10 to 5.14", "7.3 and later" of generations `range`, with the stable releases that stand out.
  static func name(_ range: ClosedRange<Int>) -> String {
    let (first, last) = (all[range.lowerBound], all[range.upperBound])
    var name: String
    if let end = last.last {
      name = first.first == end ? end : "\(first.first) to \(end)"
      let left = range.upperBound + 1 < all.count ? all[range.upperBound + 1].stable : []
      if !left.isEmpty { name += " (before \(list(left)))" }
    } else {
      name = "\(first.first) and later"
    }
    if !first.stable.isEmpty { name += " (also \(list(first.stable)))" }
    return name
  }
}
