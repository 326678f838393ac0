// SPDX-License-Identifier: Apache-2.0

import Model

/// Evidence as JSON: the mapping of every diagnosis, and all there is where no cause is proved.
enum EvidenceJSON {
  static func mapping(
    _ mapping: MappingEvidence, fileOffset: UInt64?, of kernel: KernelRelease?,
    backing: BackingEvidence? = nil
  ) -> JSON {
    var object = JSONObject()
    object.add("start", hex: mapping.start)
    object.add("end", hex: mapping.end)
    object.add("flags", .strings(VMAFlags.names(mapping.vmFlags, of: kernel)))
    object.add("file", mapping.file?.path)
    object.add("offset", number: fileOffset)
    object.add("filesystem", mapping.file?.filesystem)
    object.add("fsdax", mapping.isFSDAX)
    if let file = mapping.file {
      // i_size says nothing of a device.
      if file.isRegular { object.add("size", number: file.size) }
      object.add("inode", number: file.inode)
      object.add("device", "\(file.device >> 20):\(file.device & 0xf_ffff)")
      if !file.blockDevice.isEmpty { object.add("block_device", file.blockDevice) }
      if file.pathIsCut { object.add("path_cut", true) }
    }
    if mapping.isAnonymous { object.add("anonymous", true) }
    if mapping.isHugeTLB { object.add("hugetlb", true) }
    object.add("backing_file", backing?.path?.text)
    if backing?.path?.isCut == true { object.add("backing_path_cut", true) }
    return .object(object)
  }

  /// Where no mapping is: how far the gap goes, as far as known.
  static func gap(_ mapping: MappingEvidence) -> JSON {
    var object = JSONObject()
    object.add("address", hex: mapping.address)
    object.add("start", hex: mapping.previousEnd)
    object.add("end", hex: mapping.nextStart)
    return .object(object)
  }

  /// Everything that was recorded; nil when that is nothing.
  static func all(_ operation: Operation, of kernel: KernelRelease?) -> JSON? {
    var object = JSONObject()
    func list<Evidence>(_ key: String, _ values: [Evidence], _ make: (Evidence) -> JSON) {
      if !values.isEmpty { object.add(key, .array(values.map(make))) }
    }
    list("layers", operation.layers, layer)
    list("umems", operation.umems, umem)
    list("ranges", operation.ranges, range)
    list("walks", operation.walks, walk)
    list("faults", operation.faults, fault)
    list("levels", operation.levels, levels)
    list("entries", operation.entries, entries)
    list("mappings", operation.mappings) {
      $0.found ? mapping($0, fileOffset: nil, of: kernel) : gap($0)
    }
    list("folios", operation.folios, folio)
    list("refusals", operation.refusals, refusal)
    list("forked", operation.forked) { forked($0, of: kernel) }
    let backings = operation.backings.compactMap(BackingJSON.evidence)
    if !backings.isEmpty { object.add("backings", .array(backings)) }
    object.add("device_odp", operation.deviceHasODP)
    object.add("driver_advise_mr", operation.driverHasAdvise)
    return object.orNil
  }

  private static func layer(_ layer: LayerEvidence) -> JSON {
    var object = JSONObject()
    object.add("function", layer.function)
    object.add("result", .signed(layer.result))
    object.add("rung", layer.rung.rawValue)
    object.add("arguments", .array(layer.arguments.map(JSON.hex)))
    return .object(object)
  }

  private static func umem(_ umem: UmemEvidence) -> JSON {
    var object = JSONObject()
    object.add("function", umem.function)
    object.add("address", hex: umem.region?.start)
    object.add("length", number: umem.region?.length)
    object.add("iova", hex: umem.iova)
    object.add("writable", umem.writable)
    object.add("odp", umem.isODP)
    object.add("page_shift", number: umem.pageShift.map(UInt64.init))
    object.add("access", umem.access.map { .strings(AccessFlags.names($0)) })
    object.add("pinned_pages", number: umem.pinnedPages)
    object.add("memlock_limit", number: umem.memlockLimit)
    return .object(object)
  }

  private static func range(_ range: RangeEvidence) -> JSON {
    var object = JSONObject()
    object.add("function", range.function)
    object.add("result", .signed(range.result))
    object.add("rung", range.rung.rawValue)
    object.add("start", hex: range.start)
    object.add("end", hex: range.end)
    object.add("default_flags", hex: range.defaultFlags)
    return .object(object)
  }

  private static func walk(_ walk: WalkEvidence) -> JSON {
    var object = JSONObject()
    object.add("function", walk.function)
    object.add("result", .signed(walk.result))
    object.add("rung", walk.rung.rawValue)
    object.add("start", hex: walk.start)
    object.add("end", hex: walk.end)
    object.add("last", hex: walk.last)
    object.add("pending_end", hex: walk.pendingEnd)
    object.add("required_fault", number: walk.requiredFault.map(UInt64.init))
    object.add("vma", walk.hasVMA)
    object.add("default_flags", hex: walk.defaultFlags)
    object.add("entry", hex: walk.entry)
    return .object(object)
  }

  private static func fault(_ fault: FaultEvidence) -> JSON {
    var object = JSONObject()
    object.add("witness", fault.witness)
    object.add("address", hex: fault.address)
    object.add("result", .strings(VMFault.names(fault.result)))
    object.add("fault_flags", hex: fault.faultFlags.map(UInt64.init))
    object.add("inode", number: fault.inode)
    object.add("page_offset", number: fault.pageOffset)
    object.add("file_size", number: fault.fileSize)
    return .object(object)
  }

  private static func levels(_ levels: LevelsEvidence) -> JSON {
    var object = JSONObject()
    object.add("address", hex: levels.address)
    object.add("pgd", hex: levels.pgd)
    object.add("p4d", hex: levels.p4d)
    object.add("pud", hex: levels.pud)
    object.add("pmd", hex: levels.pmd)
    object.add("pte", hex: levels.pte)
    return .object(object)
  }

  private static func entries(_ entries: EntriesEvidence) -> JSON {
    var object = JSONObject()
    object.add("what", entries.what == .pte ? "pte" : "hmm_pfn")
    object.add("search", entries.search == .walked ? "walked" : "faulted")
    object.add("address", hex: entries.address)
    object.add("values", .array(entries.values.map(JSON.hex)))
    return .object(object)
  }
}
