// SPDX-License-Identifier: Apache-2.0

import Model

/// The mapping of a page, or the gap where there is none.
enum MappingText {
  /// One paragraph each: range and permissions, file, file system. `fileOffset` is the byte offset
  /// of the failing page in the file, where known.
  static func paragraphs(
    _ mapping: MappingEvidence, fileOffset: UInt64?, of kernel: KernelRelease?,
    backing: BackingEvidence? = nil
  ) -> [[Span]] {
    guard mapping.found else { return [[Span(gap(mapping))]] }
    var first: [Span] = [
      .word("\(Quantity.hex(mapping.start))-\(Quantity.hex(mapping.end))"),
      .word(permissions(mapping.vmFlags)),
    ]
    first += VMAFlags.names(mapping.vmFlags, of: kernel).map { Span.word($0, .dim) }
    guard let file = mapping.file else {
      let what =
        mapping.isAnonymous ? "anonymous memory" : "no file: memory of a driver or the kernel"
      return [first, [Span(what + (mapping.isHugeTLB ? ", hugetlb" : ""))]]
    }
    var lines = [first, fileLine(file, fileOffset: fileOffset), [Span(filesystem(file, mapping))]]
    if let path = backing?.path {
      let cut = path.isCut ? "(beginning of the path not known)" : ""
      lines.insert([Span("kept in"), .word(path.text), Span(cut)], at: 2)
    }
    return lines
  }

  private static func fileLine(_ file: MappingEvidence.File, fileOffset: UInt64?) -> [Span] {
    // i_size says nothing of a device.
    let size = file.isRegular ? file.size : nil
    var rest: String
    switch (fileOffset, size) {
    case (let offset?, let size?) where offset >= size:
      rest = "offset \(offset), beyond the end of the file: size \(Quantity.bytes(size))"
    case (let offset?, let size?): rest = "offset \(offset), file size \(Quantity.bytes(size))"
    case (let offset?, nil): rest = "offset \(offset)"
    case (nil, let size?): rest = "file size \(Quantity.bytes(size))"
    case (nil, nil): rest = ""
    }
    if file.pathIsCut { rest += (rest.isEmpty ? "" : " ") + "(beginning of the path not known)" }
    return [.word(file.path + (rest.isEmpty ? "" : ",")), Span(rest)]
  }

  private static func filesystem(_ file: MappingEvidence.File, _ mapping: MappingEvidence) -> String
  {
    var parts = [file.filesystem.isEmpty ? "unknown file system" : file.filesystem]
    if !file.blockDevice.isEmpty, file.blockDevice != file.filesystem {
      parts[0] += " on \(file.blockDevice)"
    }
    if mapping.isFSDAX { parts.append("fsdax") }
    if mapping.isHugeTLB { parts.append("hugetlb") }
    parts.append("inode \(file.inode)")
    return parts.joined(separator: ", ")
  }

  /// As show_vma_header_prefix() prints them in /proc/PID/maps.
  static func permissions(_ flags: UInt64) -> String {
    let shared: UInt64 = 1 << 3 | 1 << 7  // VM_SHARED, VM_MAYSHARE
    return (flags & 1 != 0 ? "r" : "-") + (flags & 2 != 0 ? "w" : "-")
      + (flags & 4 != 0 ? "x" : "-") + (flags & shared != 0 ? "s" : "p")
  }

  private static func gap(_ mapping: MappingEvidence) -> String {
    let text = "no mapping holds \(Quantity.hex(mapping.address))"
    switch (mapping.previousEnd, mapping.nextStart) {
    case (let from?, let to?) where from < to:
      return text + ": a gap of \(Quantity.bytes(to - from)), "
        + "\(Quantity.hex(from))-\(Quantity.hex(to)), between two mappings"
    case (let from?, nil): return text + "; the one below ends at \(Quantity.hex(from))"
    case (nil, let to?): return text + "; the one above starts at \(Quantity.hex(to))"
    default: return text
    }
  }
}

extension MappingEvidence.File {
  /// S_ISREG(i_mode)
  var isRegular: Bool { mode & 0o170000 == 0o100000 }
}
