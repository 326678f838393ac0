// SPDX-License-Identifier: Apache-2.0

import Model

func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

/// "SPECIAL and DEVMAP"; "A, B and C".
func list(_ words: [String]) -> String {
  guard let last = words.last, words.count > 1 else { return words.first ?? "" }
  return words.dropLast().joined(separator: ", ") + " and " + last
}

func count(_ number: UInt64, _ noun: String) -> String {
  number == 1 ? "1 \(noun)" : "\(number) \(noun)s"
}

extension Operation {
  var subject: String {
    kindSeen ? kind.subject : "an access to on-demand memory (what asked for it was not seen)"
  }
}

extension Failure {
  /// "page 0x7f10c0003000 of /mnt/pmem/pool (fsdax, offset 12288)"
  func place(_ page: UInt64) -> String {
    "page \(hex(page))" + whose(page)
  }

  /// " of …", or nothing where the mapping is not known.
  private func whose(_ page: UInt64) -> String {
    guard let mapping = mapping(at: page), mapping.found else { return "" }
    guard let file = mapping.file else {
      return mapping.isAnonymous ? " of anonymous memory" : " of a mapping without a file"
    }
    var details = [mapping.isFSDAX ? "fsdax" : file.filesystem].filter { !$0.isEmpty }
    if let offset = fileOffset(of: page) { details.append("offset \(offset)") }
    return " of \(name(of: file)) (\(details.joined(separator: ", ")))"
  }

  func name(of file: MappingEvidence.File) -> String {
    if file.path.isEmpty { return "inode \(file.inode)" }
    return (file.pathIsCut ? "…/" : "") + file.path
  }

  /// "mapped by a PTE with SPECIAL set", "without a PTE", … of an entry, for the middle of a
  /// sentence.
  func state(_ entry: DecodedEntry?) -> String {
    guard let entry else { return "whose page-table entry is not known" }
    switch entry.kind {
    case .none: return "not mapped (\(entry.levelName) empty)"
    case .present:
      return "mapped by a \(entry.levelName) with \(list(entry.flags)) set"
    default:
      return "whose \(entry.levelName) is \(hex(entry.raw)) (\(list(entry.flags)))"
    }
  }

  /// "the address space has a gap from … to …", with what is known of its ends.
  func gap(_ page: UInt64) -> String {
    guard let gap = mapping(at: page), !gap.found else { return "" }
    switch (gap.previousEnd, gap.nextStart) {
    case (let from?, let to?): return ": the gap reaches from \(hex(from)) to \(hex(to))"
    case (let from?, nil): return ": the mapping below ends at \(hex(from))"
    case (nil, let to?): return ": the mapping above starts at \(hex(to))"
    case (nil, nil): return ""
    }
  }
}
