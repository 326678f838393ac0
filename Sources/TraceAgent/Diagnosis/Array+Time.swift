// SPDX-License-Identifier: Apache-2.0

extension Array where Element: Equatable {
  /// No task writes two records of one function at the same instant.
  mutating func dropRepeated() {
    guard zip(self, dropFirst()).contains(where: ==) else { return }
    var kept: [Element] = []
    for element in self where element != kept.last { kept.append(element) }
    self = kept
  }
}

extension Array {
  /// Of the same time, as they were. Nearly always they are in order already.
  mutating func sortByTime(_ time: (Element) -> UInt64) {
    guard count > 1, zip(self, dropFirst()).contains(where: { time($0) > time($1) }) else { return }
    let order = indices.sorted { (time(self[$0]), $0) < (time(self[$1]), $1) }
    self = order.map { self[$0] }
  }
}
