// SPDX-License-Identifier: Apache-2.0

import CEvents
import Glibc
import Model

/// What the running kernel is and offers, read from /proc and /sys.
package struct KernelFacts: Sendable {
  package var release: String
  package var version: String
  package var machine: String
  package var hostname: String
  package var offers: HookPlan.Offers
  package var pagingLevels: Int
  /// Page frame of the zero page; known once the programs are loaded (``Tracer/complete(_:)``).
  package var zeroPFN: UInt64?
  /// The kernel's GNU build id, lower-case hexadecimal.
  package var buildID: String?

  /// Data symbols that say which kernel generation this is or that BPF reads.
  static let telltales: Set<String> = [
    "arch_check_zapped_pte", "vmf_insert_page_mkwrite", "make_device_exclusive",
    "make_device_exclusive_range", "page_offset_base", "pgdir_shift", "zero_pfn", "empty_zero_page",
    "hmm_range_fault_locked", "vm_normal_page", "__traceiter_dax_pte_fault_done",
    "__traceiter_dax_pmd_fault_done", "__traceiter_sched_process_fork",
    "__traceiter_sched_process_exit", "__tracepoint_sched_process_exit", "mm_update_next_owner",
    "__tracepoint_dax_pte_fault_done", "__tracepoint_dax_pmd_fault_done",
    "__tracepoint_sched_process_fork", "_text", "phys_base", "physical_mask", "init_user_ns",
    "__per_cpu_offset", "hstates", "bpf_rdonly_cast",
  ]

  /// Modules have BTF from 5.11 on; of what was before, 5.10's structures are known.
  var layout: Int32 {
    guard let number = KernelRelease(release), (number.major, number.minor) == (5, 10) else {
      return MRT_LAYOUT_NONE
    }
    return MRT_LAYOUT_5_10
  }

  /// What came last decides: the verifier lets programs read memory of no type (bpf/read.h).
  var features: ProgramFeatures {
    KernelFacts.letsLoad(release) && offers.symbols.has("bpf_rdonly_cast") ? .all : .none
  }

  private static func letsLoad(_ release: String) -> Bool {
    KernelRelease(release).map { $0 >= KernelRelease(6, 17) } ?? false
  }

  /// This kernel's verifier lets programs read memory of no type by plain loads.
  static func letsLoad() -> Bool {
    var name = utsname()
    return uname(&name) == 0 && letsLoad(text(of: name.release))
  }

  /// The layout of `struct ib_device` is known, or will be once its module is loaded.
  var knowsDevices: Bool {
    layout != MRT_LAYOUT_NONE || offers.btf.contains("ib_core")
      || !offers.modules.contains("ib_core")
  }

  /// The kernel knows whose memory a kernel worker works on (mm_struct.owner: CONFIG_MEMCG).
  package var knowsOwners: Bool { offers.symbols.has("mm_update_next_owner") }

  package static func read() throws(KernelError) -> KernelFacts {
    var name = utsname()
    guard uname(&name) == 0 else { throw .system(call: "uname", errno: Errno(rawValue: errno)) }
    let machine = text(of: name.machine)
    guard machine == "x86_64" else { throw .notLinux64 }

    let wanted = Set(Hook.all.map(\.symbol)).union(telltales)
    let symbols = try KernelSymbols.read(wanted: wanted)
    let offers = HookPlan.Offers(
      symbols: symbols, btf: Set(Directory.names(in: "/sys/kernel/btf")),
      tracepoints: tracepoints(in: symbols),
      modules: loadedModules())
    return KernelFacts(
      release: text(of: name.release), version: text(of: name.version), machine: machine,
      hostname: text(of: name.nodename), offers: offers,
      pagingLevels: fiveLevelPaging() ? 5 : 4, zeroPFN: nil, buildID: readBuildID())
  }

  /// The same, without reading kallsyms again: which modules have come since, and are ready. Asked for every second, hence
  /// by bytes.
  package static func loadedModules(in path: String = "/proc/modules") -> Set<String> {
    guard let text = TextFile.read(path) else { return [] }
    let (newline, space) = (UInt8(ascii: "\n"), UInt8(ascii: " "))
    return Set(
      text.utf8.split(separator: newline).compactMap { line in
        // "name size users by state address": what is loading cannot be hooked yet, what is going no longer
        let state = line.split(separator: space, maxSplits: 5).dropFirst(4).first
        if let state, !state.elementsEqual("Live".utf8) { return nil }
        return String(decoding: line.prefix { $0 != space }, as: UTF8.self)
      })
  }

  private static func tracepoints(in symbols: KernelSymbols) -> Set<String> {
    Set(
      Hook.all.filter { $0.way == .tracepoint }.map(\.symbol).filter {
        symbols.has("__traceiter_\($0)") || symbols.has("__tracepoint_\($0)")
      })
  }

  /// The kernel runs with 57-bit addresses: /proc/cpuinfo shows la57 only where it is in use.
  private static func fiveLevelPaging() -> Bool {
    guard let text = TextFile.read("/proc/cpuinfo") else { return false }
    guard let flags = text.split(separator: "\n").first(where: { $0.hasPrefix("flags") }) else {
      return false
    }
    return flags.split(separator: " ").contains("la57")
  }

  /// The note of type NT_GNU_BUILD_ID (3) in /sys/kernel/notes.
  private static func readBuildID() -> String? {
    var bytes: [UInt8] = []
    guard
      (try? TextFile.forEachChunk(of: "/sys/kernel/notes", { bytes.append(contentsOf: $0) }))
        != nil
    else { return nil }
    return bytes.withUnsafeBytes { notes in
      var at = 0
      while at + 12 <= notes.count {
        let nameSize = Int(notes.loadUnaligned(fromByteOffset: at, as: UInt32.self))
        let size = Int(notes.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self))
        let type = notes.loadUnaligned(fromByteOffset: at + 8, as: UInt32.self)
        let start = at + 12 + (nameSize + 3) & ~3
        guard nameSize <= notes.count, size <= notes.count, start + size <= notes.count else {
          return nil
        }
        if type == 3, notes[(at + 12)..<(at + 12 + nameSize)].elementsEqual("GNU\0".utf8) {
          return notes[start..<(start + size)].map {
            ($0 < 16 ? "0" : "") + String($0, radix: 16)
          }.joined()
        }
        at = start + (size + 3) & ~3
      }
      return nil
    }
  }

  private static func text<T>(of tuple: T) -> String {
    withUnsafeBytes(of: tuple) { bytes in
      String(decoding: bytes.prefix(while: { $0 != 0 }), as: UTF8.self)
    }
  }
}
