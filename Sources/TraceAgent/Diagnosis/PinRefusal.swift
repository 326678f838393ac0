// SPDX-License-Identifier: Apache-2.0

import Model

/// What a pinned registration asked of ib_umem_get() (7.x: __ib_umem_get_va()).
struct PinRequest: Sendable {
  var function: FunctionName
  var errno: Errno
  var address: UInt64
  var size: UInt64
  var access: AccessFlags

  var firstPage: UInt64 { Failure.page(of: address) }
  /// addr + size wraps, or its page end does.
  var overflows: Bool {
    let (end, wraps) = address.addingReportingOverflow(size)
    return wraps || (end &+ 4095) & ~4095 < end
  }
  /// ib_umem_num_pages()
  var pages: UInt64 { ((address &+ size &+ 4095) & ~4095 &- firstPage) >> 12 }
}

/// The first mapping of a range that a long-term pin refuses.
struct PinRefusal: Sendable {
  enum Reason: Sendable {
    case missing, device, peer, fsdax, secret, fileBacked, notWritable, notReadable

    /// What __get_user_pages() and check_vma_flags() return.
    var errno: Errno { self == .fsdax ? .opnotsupp : .fault }
  }
  var reason: Reason
  /// First page of the range in it.
  var page: UInt64
  var mapping: MappingEvidence
  /// What its file system asks for.
  var writes: BackingEvidence.Writes?
}

extension Failure {
  var pinRequest: PinRequest? {
    guard let layer = layer("ib_umem_get", "__ib_umem_get_va"), layer.arguments.count >= 4,
      let errno = layer.errno
    else { return nil }
    return PinRequest(
      function: layer.function, errno: errno, address: layer.arguments[1],
      size: layer.arguments[2],
      access: AccessFlags(rawValue: UInt32(truncatingIfNeeded: layer.arguments[3])))
  }

  /// GUP goes through the range in order, so the first refused mapping is the one that decided.
  var pinRefusal: PinRefusal? {
    guard let request = pinRequest, !request.overflows else { return nil }
    let rules = PinRules(traits)
    let end = request.address &+ request.size
    let inRange = operation.mappings.filter {
      $0.address >= request.firstPage && $0.address < end
    }
    for mapping in inRange.sorted(by: { $0.address < $1.address }) {
      let writes = backing(of: mapping)?.writes
      if let reason = rules.refusal(of: mapping, writes: writes, access: request.access) {
        return PinRefusal(
          reason: reason, page: Failure.page(of: mapping.address), mapping: mapping, writes: writes)
      }
    }
    return nil
  }

  /// A finding if the pin was refused for `reason`, with the errno that this gives.
  func pin(_ reason: PinRefusal.Reason, text: (PinRefusal) -> String) -> Finding? {
    // A fault that was seen to fail came before any refusal.
    guard case .none = locus, let request = pinRequest, request.errno == reason.errno,
      !request.access.contains(.onDemand), let refusal = pinRefusal, refusal.reason == reason
    else { return nil }
    let function = reason == .missing ? "__get_user_pages" : "check_vma_flags"
    return Finding(
      .proved, page: refusal.page, because: text(refusal),
      links: [.init(function: function, result: .errno(request.errno), seen: .replayed)],
      rejected: refusal.mapping.found ? .pin(refusal, access: request.access) : nil)
  }
}
