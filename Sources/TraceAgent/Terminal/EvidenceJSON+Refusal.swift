// SPDX-License-Identifier: Apache-2.0

import Model

extension EvidenceJSON {
  static func folio(_ folio: FolioEvidence) -> JSON {
    var object = JSONObject()
    object.add("address", hex: folio.address)
    object.add("pfn", hex: folio.frame)
    object.add("index", number: folio.index)
    object.add("inode", number: folio.inode)
    object.add("references", .signed(Int64(folio.references)))
    if let mappings = folio.mappings { object.add("mappings", .signed(Int64(mappings))) }
    if let pins = folio.pins { object.add("pins", .signed(Int64(pins))) }
    object.add("pages", number: folio.pages)
    object.add("zone", folio.zone?.rawValue)
    object.add("node", number: folio.node.map(UInt64.init))
    object.add("state", .strings(folio.state.names))
    return .object(object)
  }

  static func refusal(_ refusal: RefusalEvidence) -> JSON {
    var object = JSONObject()
    object.add("what", refusal.what.rawValue)
    object.add("cgroup", refusal.cgroupPath)
    object.add("usage", number: refusal.usage)
    object.add("limit", number: refusal.limit)
    object.add("device", refusal.device)
    return .object(object)
  }

  static func forked(_ forked: ForkedEvidence, of kernel: KernelRelease?) -> JSON {
    var object = JSONObject()
    object.add("address", hex: forked.address)
    object.add("ancestor_pid", number: UInt64(clamping: forked.pid))
    object.add("ancestor_comm", forked.comm)
    object.add("start", hex: forked.start)
    object.add("end", hex: forked.end)
    object.add("flags", .strings(VMAFlags.names(forked.vmFlags, of: kernel)))
    return .object(object)
  }
}
