// SPDX-License-Identifier: Apache-2.0

/// Names from a file up to the root, each ended by NUL, as BPF walks them.
enum RecordedPath {
  /// The path as a person writes it, and whether its upper end is missing.
  ///
  /// The root of every mount on the way up is a dentry named "/" (`d_make_root()`), so those names
  /// separate nothing. A path whose upper end could not be walked is shown as "…/leaf".
  static func text(_ path: [UInt8], isCut wasCut: Bool) -> (text: String, isCut: Bool) {
    var names = path.split(separator: 0, omittingEmptySubsequences: false)
    // Every name is ended by NUL, so what follows the last NUL is empty, or a name that was cut
    // short.
    let unfinished = names.popLast() ?? []
    var isCut = wasCut
    if !unfinished.isEmpty {
      isCut = true
      if names.isEmpty { names.append(unfinished) }
    }
    let components = names.filter { !$0.isEmpty && !$0.elementsEqual([UInt8(ascii: "/")]) }
      .reversed().map { String(decoding: $0, as: UTF8.self) }
    return ((isCut ? "…/" : "/") + components.joined(separator: "/"), isCut)
  }
}
