// SPDX-License-Identifier: Apache-2.0

import Model

/// What one kernel function makes of the errnos of those that it calls, and which it can be the first to return.
///
/// `lab/errno-flow` compares the table (ErrnoFlow+Table.swift) with the sources of the kernels.
struct ErrnoFlow: Sendable {
  /// Its name in the kernel's source.
  var function: FunctionName
  /// The file that defines it.
  var file: String
  /// Functions that it calls, and these call, which have no row: what they return counts as its own.
  var through: [FunctionName] = []
  /// Functions with a row that it calls, directly or through those.
  var calls: [FunctionName] = []
  /// Errnos that it, or something below that has no row, can be the first to return; nil: any.
  var own: Set<Errno>?
  /// Errnos of what it calls that it never returns: it tries again.
  var drops: Set<Errno> = []
  /// The one errno that it makes of every failure of `masked`.
  var mask: Errno?
  var masked: [FunctionName] = []
  /// Stands for the many drivers that no hook sees: what they make of an errno is not known.
  var isAnyDriver = false
  /// No hook is made for it.
  var isWatched = true

  /// How an errno came from one function to another.
  enum Passage: Sendable {
    case certain
    /// Through a driver that was not seen, which replaced it.
    case replaced
  }

  static let byFunction: [FunctionName: ErrnoFlow] = Dictionary(
    uniqueKeysWithValues: table.map { ($0.function, $0) })

  /// By function, those that call it.
  private static let callers: [FunctionName: [ErrnoFlow]] = {
    var callers: [FunctionName: [ErrnoFlow]] = [:]
    for row in table { for callee in row.calls { callers[callee, default: []].append(row) } }
    return callers
  }()

  /// Whether `outer` is around `inner` where that is called from it, however many are between.
  static func isCaller(_ outer: FunctionName, of inner: FunctionName) -> Bool {
    passage(from: inner, nil, to: outer, nil) != nil
  }

  /// How `outerErrno` of `outer` can be the answer to `innerErrno` of `inner`, which it called; nil: it cannot. Of
  /// errnos that are nil any will do.
  static func passage(
    from inner: FunctionName, _ innerErrno: Errno?, to outer: FunctionName, _ outerErrno: Errno?
  ) -> Passage? {
    struct Place: Hashable {
      var function: FunctionName
      /// nil: any.
      var errno: Errno?
      var isReplaced: Bool
    }
    var best: Passage?
    var seen: Set<Place> = []
    var places = [Place(function: inner, errno: innerErrno, isReplaced: false)]
    while let place = places.popLast() {
      for row in callers[place.function] ?? [] {
        for (errno, isReplaced) in row.answers(to: place.errno, of: place.function) {
          let next = Place(
            function: row.function, errno: errno, isReplaced: place.isReplaced || isReplaced)
          guard seen.insert(next).inserted else { continue }
          if next.function == outer,
            next.errno == nil || outerErrno == nil || next.errno == outerErrno
          {
            if !next.isReplaced { return .certain }
            best = .replaced
          }
          places.append(next)
        }
      }
    }
    return best
  }

  /// Whether `function` can be the first to return `errno`.
  static func begins(_ function: FunctionName, with errno: Errno) -> Bool {
    guard let row = byFunction[function] else { return true }
    return row.own?.contains(errno) ?? true
  }

  /// What comes out for `errno` of `callee`, and whether that takes a driver that no hook saw.
  private func answers(
    to errno: Errno?, of callee: FunctionName
  ) -> [(errno: Errno?, isReplaced: Bool)] {
    guard let errno else { return [(nil, false)] }
    if let mask, masked.contains(callee) { return [(mask, !isWatched)] }
    if drops.contains(errno) { return [] }
    return isAnyDriver ? [(errno, false), (nil, true)] : [(errno, false)]
  }
}
