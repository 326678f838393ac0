// SPDX-License-Identifier: Apache-2.0

import CBPF
import Testing

@testable import Kernel

@Suite struct BPFObjectTests {
  @Test func base64() {
    #expect(BPFObjectImage.unbase64("") == [])
    #expect(BPFObjectImage.unbase64("TQ==") == [0x4d])
    #expect(BPFObjectImage.unbase64("TWE=") == [0x4d, 0x61])
    #expect(BPFObjectImage.unbase64("TWFu+/8=") == [0x4d, 0x61, 0x6e, 0xfb, 0xff])
  }

  @Test func whatIsEmbeddedIsUnpacked() {
    let packed = BPFObjectImage.unbase64(
      "H4sIAAAAAAACAytITM5OTVEoQKYA5pGLBRQAAAA=")
    #expect(BPFObjectImage.unpack(packed) == Array("packed packed packed".utf8))
    var damaged = packed
    damaged[packed.count - 6] ^= 1
    #expect(BPFObjectImage.unpack(damaged) == [])
    #expect(BPFObjectImage.unpack([]) == [])
  }

  /// Every hook has its programs in the object that is embedded, under the names the agent looks for.
  @Test func everyHookHasItsPrograms() throws {
    let image = BPFObjectImage.bytes()
    #expect(image.prefix(4) == [0x7f, 0x45, 0x4c, 0x46])
    let object = try #require(
      image.withUnsafeBytes { bpf_object__open_mem($0.baseAddress, $0.count, nil) })
    defer { bpf_object__close(object) }
    for hook in Hook.all {
      switch hook.way {
      case .tracepoint:
        #expect(has(object, "raw_tp__\(hook.symbol)"))
      case .operation:
        let more = hook.role == .verbs ? ["fentry2", "end2"] : []
        for part in ["fentry", "fexit", "end3", "kprobe", "kretprobe"] + more {
          #expect(has(object, "\(part)__\(hook.symbol)"))
        }
      case .entryAndExit:
        #expect(has(object, "fentry__\(hook.symbol)"))
        fallthrough
      case .exit:
        for kind in ["fexit", "kprobe", "kretprobe"] {
          #expect(has(object, "\(kind)__\(hook.symbol)"))
        }
      }
    }
  }

  /// 5.10 knows one atomic instruction: an addition that does not fetch (0xdb or 0xc3 with 0 at its end).
  @Test func noAtomicThatOldKernelsRefuse() throws {
    let image = BPFObjectImage.bytes()
    let object = try #require(
      image.withUnsafeBytes { bpf_object__open_mem($0.baseAddress, $0.count, nil) })
    defer { bpf_object__close(object) }
    var additions = 0
    var program = bpf_object__next_program(object, nil)
    while let current = program {
      let name = String(cString: bpf_program__name(current))
      let instructions = UnsafeBufferPointer(
        start: bpf_program__insns(current), count: Int(bpf_program__insn_cnt(current)))
      for instruction in instructions where [0xdb, 0xc3].contains(instruction.code) {
        additions += 1
        #expect(instruction.imm == 0, "\(name)")
      }
      program = bpf_object__next_program(object, current)
    }
    #expect(additions > 0)
  }

  @Test func eachRefusalIsOneRungDown() {
    var refusals = Refusals()
    let rungs = (1...3).map { _ in refusals.add("x") }
    #expect(rungs == [true, true, false])
    #expect(refusals.fentry == ["x"])
    #expect(refusals.all == ["x"])
    let other = refusals.add("y")
    #expect(other)
    #expect(refusals.fentry == ["x", "y"])
    #expect(refusals.all == ["x"])
  }

  private func has(_ object: OpaquePointer, _ name: String) -> Bool {
    bpf_object__find_program_by_name(object, name) != nil
  }

  @Test func refusedProgramIsNamed() {
    let log = """
      libbpf: prog 'fexit__hmm_vma_walk_pmd': BPF program load failed: Invalid argument
      libbpf: prog 'fexit__hmm_vma_walk_pmd': failed to load: -22
      libbpf: failed to load object 'mrtrace'
      """
    #expect(ProgramGroup.refusedSymbol(in: log) == "hmm_vma_walk_pmd")
    #expect(ProgramGroup.refusedSymbol(in: "libbpf: failed to load object 'mrtrace'") == nil)
    #expect(ProgramGroup.refusedSymbol(in: "prog 'kretprobe__x': failed to load: -1") == "x")
    #expect(
      ProgramGroup.lastWords(of: log) == "prog 'fexit__hmm_vma_walk_pmd': failed to load: -22")
  }
}
