// SPDX-License-Identifier: Apache-2.0

import Model

extension Failure {
  /// From the deepest function that failed outward to the verb.
  func chain(_ finding: Finding?) -> [Diagnosis.Link] {
    var seen: [Diagnosis.Link] = []
    func add(_ function: FunctionName, _ result: Int64) {
      guard let errno = Errno(result: result), !seen.contains(where: { $0.function == function })
      else { return }
      seen.append(.init(function: function, result: .errno(errno), seen: .direct))
    }
    for walk in walks { add(walk.function, walk.result) }
    for range in ranges { add(range.function, range.result) }
    for layer in layers where !Failure.isBelowFault(layer) {
      add(layer.function, layer.result)
    }
    // A worker's operation ends with the layer at which it began; where none was seen to fail, it is
    // the umem's.
    if isVerb || !layers.contains(where: { !Failure.isBelowFault($0) }) {
      add(verb, operation.result)
    }

    var deeper = finding?.links ?? []
    if finding == nil, case .fault(let site) = locus, site.witness != nil {
      deeper = faultLinks(site, code: nil)
    }
    let known = Set(seen.map(\.function))
    deeper.removeAll { known.contains($0.function) }
    for layer in layers.reversed() where Failure.isBelowFault(layer) {
      guard !deeper.contains(where: { $0.function == layer.function }),
        let errno = layer.errno
      else { continue }
      deeper.insert(.init(function: layer.function, result: .errno(errno), seen: .direct), at: 0)
    }
    return deeper + seen
  }

  /// A page fault or a pin calls it; it does not call HMM.
  private static func isBelowFault(_ layer: LayerEvidence) -> Bool {
    WatchedFunction.byName[layer.function].map { $0.depth > WatchedFunction.rangeDepth } ?? false
  }

  private var isVerb: Bool { operation.kind.isSystemCall }

  /// The function whose result is the operation's.
  private var verb: FunctionName {
    guard operation.kind == .regMR else { return operation.kind.function }
    // The newer ioctl methods register too; the stack says which one it was.
    let names = operation.kernelStack.compactMap { $0.name?.prefix { $0 != "+" } }
    let method = names.first { $0.hasPrefix("ib_uverbs_handler_UVERBS_METHOD_REG_") }
    return method.map(String.init) ?? operation.kind.function
  }

  /// The failing page as far as its address is known.
  func page(at address: UInt64) -> Diagnosis.Page {
    var entry = tables.lowest(at: address)
    if case .refusedEntry(let refused) = locus, refused.page == address { entry = refused.entry }
    var page = Diagnosis.Page(
      address: address, level: entry?.level.rawValue, raw: entry?.raw, flags: entry?.flags ?? [])
    page.neighbours = tables.neighbours(of: address, count: 3)
    return page
  }

  /// Where HMM stopped, for a failure without a cause.
  var stoppedAt: UInt64? {
    switch locus {
    case .gap(let page), .vanished(let page), .refusedMapping(let page), .notWritable(let page):
      return page
    case .refusedEntry(let refused): return refused.page
    case .fault(let site): return site.page
    case .none, .unclear: return nil
    }
  }
}
