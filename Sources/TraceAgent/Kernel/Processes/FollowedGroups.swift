// SPDX-License-Identifier: Apache-2.0

/// Control groups by their paths, in a run that may outlive them: a service that is started anew is another
/// group of the same name.
package struct FollowedGroups: Sendable {
  package struct Changes: Equatable, Sendable {
    package var came: [String] = []
    package var gone: [String] = []
  }

  private let paths: [String]
  private var numbers: [String: UInt64] = [:]

  /// What is there now. A group need not be, but the hierarchy must.
  package init(_ paths: [String]) throws(Unusable) {
    self.paths = paths
    for path in paths {
      do throws(ControlGroups.Missing) {
        numbers[path] = try ControlGroups.number(of: path)
      } catch {
        if error != .noGroup { throw Unusable(path: path, why: error) }
      }
    }
  }

  package struct Unusable: Error, Sendable {
    package var path: String
    package var why: ControlGroups.Missing
  }

  package var present: [UInt64] { paths.compactMap { numbers[$0] } }
  /// Those that are not there.
  package var awaited: [String] { paths.filter { numbers[$0] == nil } }

  /// What has become of them since the last look; `tracer` is told.
  package mutating func look(_ tracer: borrowing Tracer) -> Changes {
    var changes = Changes()
    let before = Set(present)
    for path in paths {
      let number = try? ControlGroups.number(of: path)
      let old = numbers[path]
      guard number != old else { continue }
      numbers[path] = number
      if number != nil { changes.came.append(path) } else { changes.gone.append(path) }
    }
    guard changes != Changes() else { return changes }
    let now = Set(present)
    for number in now.subtracting(before) { tracer.watch(group: number) }
    for number in before.subtracting(now) { tracer.unwatch(group: number) }
    return changes
  }
}
