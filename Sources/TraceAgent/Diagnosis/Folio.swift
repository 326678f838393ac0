// SPDX-License-Identifier: Apache-2.0

import Model

// A page that could not be moved, told in words.
extension FolioEvidence {
  /// Where it lies. What must leave another zone than ZONE_MOVABLE is in a block of CMA's, or in one
  /// that is being isolated.
  var memory: String? {
    switch zone {
    case .movable: "ZONE_MOVABLE"
    case .device: "ZONE_DEVICE"
    case .dma, .dma32, .normal: "CMA memory"
    case nil: nil
    }
  }

  /// What holds it; nil: nothing that is known.
  var holder: String? {
    // the file system or swap has to end it; the page waits for nothing else
    if state.contains(.writeback) { return "it is being written back" }
    if let pins, pins > 0 { return "another pin holds it (\(count(UInt64(pins), "pin")))" }
    guard let unexplained, unexplained > 0 else { return nil }
    if pins == nil, unexplained >= FolioEvidence.pinBias {
      return
        "another pin holds it (\(count(UInt64(unexplained / FolioEvidence.pinBias), "pin")) by "
        + "its references): another MR, direct I/O in progress, or a device given to a guest"
    }
    return "\(count(UInt64(unexplained), "reference")) to it \(unexplained == 1 ? "is" : "are") "
      + "neither a mapping's nor a cache's: something holds it, such as a pipe (vmsplice), a socket, "
      + "or a transfer in progress"
  }
}

extension Failure {
  /// Where the process has it: known of anonymous memory, and of a file by its mapping.
  func address(of folio: FolioEvidence) -> UInt64? {
    if let address = folio.address { return address }
    guard let inode = folio.inode else { return nil }
    for mapping in operation.mappings where mapping.found && mapping.file?.inode == inode {
      let pages = (mapping.end &- mapping.start) >> 12
      guard folio.index >= mapping.pageOffset, folio.index &- mapping.pageOffset < pages else {
        continue
      }
      return mapping.start &+ (folio.index &- mapping.pageOffset) << 12
    }
    return nil
  }

  /// "page 0x7f… (frame 0x1234, node 0) has 3 references and 1 mapping: …"
  func describe(_ folio: FolioEvidence) -> String {
    var text = address(of: folio).map { "page \(hex($0))" } ?? "a page"
    if folio.pages ?? 1 > 1, let pages = folio.pages {
      text = text.replacingStart("page", with: "the \(pages) pages in one piece at")
    }
    if let inode = folio.inode { text += " of the file with inode \(inode)" }
    var place = [folio.frame.map { "frame \(hex($0))" }, folio.node.map { "node \($0)" }]
      .compactMap { $0 }
    if folio.state.contains(.dirty), folio.state.contains(.file) { place.append("dirty") }
    if folio.state.contains(.swapCache) { place.append("in the swap cache") }
    if !place.isEmpty { text += " (\(place.joined(separator: ", ")))" }
    text += " has \(count(UInt64(clamping: folio.references), "reference"))"
    if let mappings = folio.mappings {
      text += " and \(count(UInt64(clamping: mappings), "mapping"))"
    }
    if let holder = folio.holder {
      text += "; \(holder)"
    } else if folio.unexplained == 0 {
      text += "; nothing else holds it"
    }
    return text
  }
}

extension String {
  fileprivate func replacingStart(_ start: String, with text: String) -> String {
    hasPrefix(start) ? text + dropFirst(start.count) : self
  }
}
