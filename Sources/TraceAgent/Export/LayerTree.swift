// SPDX-License-Identifier: Apache-2.0

import Model

/// The functions of an operation, each inside the one that called it.
///
/// Only their returns were recorded. But a function that returned later and stands further out was
/// running when the one inside it returned: so much of it is known, and drawn.
struct LayerTree {
  var layer: Layer
  /// It was running from here on, and perhaps before: the return of the first function inside it.
  var sinceNs: UInt64
  var endNs: UInt64
  var inner: [LayerTree] = []

  /// What stands outermost, in order of time; all times are in `bounds`.
  static func trees(
    of operation: Operation, in bounds: ClosedRange<UInt64>
  ) -> [LayerTree] {
    var trees: [LayerTree] = []
    for layer in Layer.all(of: operation) {
      let end = min(max(layer.timeNs, bounds.lowerBound), bounds.upperBound)
      let inside = trees.reversed().prefix { $0.layer.depth > layer.depth }.count
      let inner = Array(trees.suffix(inside))
      trees.removeLast(inside)
      trees.append(
        LayerTree(layer: layer, sinceNs: inner.first?.sinceNs ?? end, endNs: end, inner: inner))
    }
    return trees
  }

  /// The return that all others follow from.
  var deepest: Layer { inner.first?.deepest ?? layer }
}

extension Layer {
  /// How far inside: a larger number is called, at whatever distance, by a smaller one.
  fileprivate var depth: Int {
    let watched = WatchedFunction.byName[function]
    switch kind {
    // The fault phase of 7.3 comes after the walk, and is told as one.
    case .walk: return watched.map { $0.part == .range ? $0.depth + 2 : $0.depth } ?? 40
    case .layer: return watched?.depth ?? (isUmem ? 20 : isVerb ? 0 : 10)
    case .range: return watched?.depth ?? WatchedFunction.rangeDepth
    case .fault: return watched?.depth ?? 50
    }
  }

  private var isUmem: Bool { function.hasPrefix("ib_umem") || function.hasPrefix("__ib_umem") }
  private var isVerb: Bool { function.hasPrefix("ib_uverbs") }
}
