// SPDX-License-Identifier: Apache-2.0

import CBPF
import Foundation
import Testing

@testable import Kernel

/// The merged types are read back with libbpf's own reader, which checks every id and every name.
@Suite struct MergedBTFTests {
  /// A vmlinux and two modules made by libbpf: split BTF as the kernel has it.
  private func samples() throws -> (kernel: [UInt8], modules: [[UInt8]]) {
    let base = try #require(btf__new_empty())
    defer { btf__free(base) }
    let int = btf__add_int(base, "int", 4, 0)
    _ = btf__add_ptr(base, int)
    let modules = try ["first", "second"].map { name in
      let split = try #require(btf__new_empty_split(base))
      defer { btf__free(split) }
      let own = btf__add_struct(split, "mr_\(name)", 16)
      #expect(btf__add_field(split, "length_\(name)", int, 0, 0) == 0)
      #expect(btf__add_field(split, "next_\(name)", own + 1, 64, 0) == 0)
      #expect(btf__add_ptr(split, own) == own + 1)
      #expect(btf__add_array(split, int, own + 1, 3) > 0)
      #expect(btf__add_enum64(split, "kind_\(name)", 8, false) > 0)
      #expect(btf__add_enum64_value(split, "one_\(name)", 1) == 0)
      let proto = btf__add_func_proto(split, own + 1)
      #expect(btf__add_func_param(split, "argument_\(name)", own + 1) == 0)
      #expect(btf__add_func(split, "function_\(name)", BTF_FUNC_STATIC, proto) > 0)
      #expect(btf__add_decl_tag(split, "tag_\(name)", own, -1) > 0)
      return raw(split)
    }
    return (raw(base), modules)
  }

  private func raw(_ btf: OpaquePointer) -> [UInt8] {
    var size: UInt32 = 0
    guard let data = btf__raw_data(btf, &size) else { return [] }
    return Array(UnsafeRawBufferPointer(start: data, count: Int(size)))
  }

  @Test func modulesStandBehindOneAnother() throws {
    let samples = try samples()
    let merged = try #require(MergedBTF(kernel: samples.kernel, modules: samples.modules))
    let btf = try #require(
      merged.bytes.withUnsafeBytes { btf__new($0.baseAddress, UInt32($0.count)) })
    defer { btf__free(btf) }
    for name in ["first", "second"] {
      let id = btf__find_by_name_kind(btf, "mr_\(name)", 4)
      try #require(id > 0)
      let type = try #require(btf__type_by_id(btf, UInt32(id)))
      let members = UnsafeRawPointer(type + 1).assumingMemoryBound(to: btf_member.self)
      #expect(string(btf, members[0].name_off) == "length_\(name)")
      #expect(string(btf, members[1].name_off) == "next_\(name)")
      #expect(members[0].type == 1)
      let pointer = try #require(btf__type_by_id(btf, members[1].type))
      #expect(pointer.pointee.type == UInt32(id))
      let function = btf__find_by_name_kind(btf, "function_\(name)", 12)
      try #require(function > 0)
      let functionType = try #require(btf__type_by_id(btf, UInt32(function)))
      let proto = try #require(btf__type_by_id(btf, functionType.pointee.type))
      #expect(proto.pointee.type == members[1].type)
      #expect(btf__find_by_name_kind(btf, "kind_\(name)", 19) > 0)
      #expect(btf__find_by_name_kind(btf, "tag_\(name)", 17) > 0)
    }
  }

  @Test func damagedFilesAreRefused() throws {
    let samples = try samples()
    for cut in 0..<samples.modules[0].count {
      #expect(
        MergedBTF(kernel: samples.kernel, modules: [Array(samples.modules[0][..<cut])]) == nil)
    }
    var unknown = samples.modules[0]
    unknown[24 + 7] = 0x1f  // the first type's kind
    #expect(MergedBTF(kernel: samples.kernel, modules: [unknown]) == nil)
    #expect(MergedBTF(kernel: [], modules: []) == nil)
  }

  /// The running kernel's own, where it has BTF.
  @Test(.enabled(if: Permissions.hasBTF())) func theKernelsOwn() throws {
    let kernel = try #require(TextFile.bytes("/sys/kernel/btf/vmlinux"))
    let modules = Directory.names(in: "/sys/kernel/btf").filter { $0 != "vmlinux" }.prefix(3)
    let merged = try #require(
      MergedBTF(
        kernel: kernel, modules: modules.compactMap { TextFile.bytes("/sys/kernel/btf/\($0)") }))
    let btf = merged.bytes.withUnsafeBytes { btf__new($0.baseAddress, UInt32($0.count)) }
    defer { btf__free(btf) }
    #expect(btf__find_by_name_kind(btf, "task_struct", 4) > 0)
  }

  private func string(_ btf: OpaquePointer, _ offset: UInt32) -> String {
    btf__str_by_offset(btf, offset).map { String(cString: $0) } ?? ""
  }
}
