// SPDX-License-Identifier: Apache-2.0

import CBPF
import Foundation
import Testing

@testable import Kernel

/// The types that are left are read back with libbpf's own reader, which checks every id and every name.
@Suite struct PrunedBTFTests {
  /// A vmlinux and two modules made by libbpf: split BTF as the kernel has it.
  private func samples() throws -> (kernel: [UInt8], modules: [(name: String, bytes: [UInt8])]) {
    let base = try #require(btf__new_empty())
    defer { btf__free(base) }
    let int = btf__add_int(base, "int", 4, 0)
    _ = btf__add_ptr(base, int)
    let modules = try ["first", "second"].map { name -> (name: String, bytes: [UInt8]) in
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
      return (name, raw(split))
    }
    return (raw(base), modules)
  }

  private func raw(_ btf: OpaquePointer) -> [UInt8] {
    var size: UInt32 = 0
    guard let data = btf__raw_data(btf, &size) else { return [] }
    return Array(UnsafeRawBufferPointer(start: data, count: Int(size)))
  }

  private func names(_ module: String) -> [String] { ["mr_\(module)", "kind_\(module)"] }

  @Test func whatIsAskedForIsThereWithWhatItIsMadeOf() throws {
    let samples = try samples()
    let pruned = try #require(
      PrunedBTF(samples.kernel, samples.modules, names("first") + names("second")))
    let btf = try #require(
      pruned.bytes.withUnsafeBytes { btf__new($0.baseAddress, UInt32($0.count)) })
    defer { btf__free(btf) }
    for name in ["first", "second"] {
      let id = btf__find_by_name_kind(btf, "mr_\(name)", 4)
      try #require(id > 0)
      let type = try #require(btf__type_by_id(btf, UInt32(id)))
      #expect(type.pointee.size == 16)
      let members = UnsafeRawPointer(type + 1).assumingMemoryBound(to: btf_member.self)
      #expect(string(btf, members[0].name_off) == "length_\(name)")
      #expect(string(btf, members[1].name_off) == "next_\(name)")
      #expect(members[1].offset == 64)
      let int = try #require(btf__type_by_id(btf, members[0].type))
      #expect(string(btf, int.pointee.name_off) == "int")
      // a pointer, and no more
      let pointer = try #require(btf__type_by_id(btf, members[1].type))
      #expect(pointer.pointee.info >> 24 == 2)
      #expect(pointer.pointee.type == 0)
      #expect(btf__find_by_name_kind(btf, "function_\(name)", 12) < 0)
      #expect(btf__find_by_name_kind(btf, "tag_\(name)", 17) < 0)
      let kind = btf__find_by_name_kind(btf, "kind_\(name)", 19)
      try #require(kind > 0)
      let enumeration = try #require(btf__type_by_id(btf, UInt32(kind)))
      let values = UnsafeRawPointer(enumeration + 1).assumingMemoryBound(to: btf_enum64.self)
      #expect(string(btf, values[0].name_off) == "one_\(name)")
    }
    // one int for both, two structures, two pointers, two enumerations
    #expect(btf__type_cnt(btf) == 8)
  }

  @Test func whatNobodyAsksForIsNotThere() throws {
    let samples = try samples()
    let pruned = try #require(
      PrunedBTF(samples.kernel, samples.modules, ["mr_fir", "mr_second"]))
    let btf = try #require(
      pruned.bytes.withUnsafeBytes { btf__new($0.baseAddress, UInt32($0.count)) })
    defer { btf__free(btf) }
    #expect(btf__find_by_name_kind(btf, "mr_first", 4) < 0)
    #expect(btf__find_by_name_kind(btf, "mr_second", 4) > 0)
  }

  @Test func damagedFilesAreRefused() throws {
    let samples = try samples()
    let names = names("first")
    let module = samples.modules[0].bytes
    for cut in 1..<module.count {
      #expect(PrunedBTF(samples.kernel, [("m", Array(module[..<cut]))], names) == nil)
    }
    var unknown = module
    unknown[24 + 7] = 0x1f  // the first type's kind
    #expect(PrunedBTF(samples.kernel, [("m", unknown)], names) == nil)
    #expect(PrunedBTF([], [], names) == nil)
    // any word of it wrong: refused or not, but never worse
    for at in stride(from: 4, to: module.count - 4, by: 4) {
      for value: UInt8 in [0xff, 0x7f, 1] {
        var wrong = module
        wrong.replaceSubrange(at..<at + 4, with: [value, value, value, value])
        _ = PrunedBTF(samples.kernel, [("m", wrong)], names)
        _ = KernelTypes(samples.kernel, [("m", wrong)])?.functions([
          "function_first"
        ])
      }
    }
  }

  /// The running kernel's own, where it has BTF: each member stands where libbpf finds it in the whole.
  @Test(.enabled(if: Permissions.hasBTF())) func theKernelsOwn() throws {
    let kernel = try #require(FileBytes("/sys/kernel/btf/vmlinux")).bytes
    let names = ["task_struct", "mm_struct", "vm_area_struct", "file", "cred", "maple_tree"]
    let types = try #require(
      KernelTypes(modules: Set(Directory.names(in: "/sys/kernel/btf").prefix(3))))
    let pruned = try #require(PrunedBTF(types, names: names))
    #expect(pruned.bytes.count < kernel.count / 4)
    let left = pruned.bytes.withUnsafeBytes { btf__new($0.baseAddress, UInt32($0.count)) }
    defer { btf__free(left) }
    let whole = btf__new(kernel.baseAddress, UInt32(kernel.count))
    defer { btf__free(whole) }
    for name in names {
      let kept = try members(of: name, #require(left))
      #expect(kept == (try members(of: name, #require(whole))))
      #expect(!kept.isEmpty)
    }
  }

  @Test func functionsAreFoundByTheirName() throws {
    let samples = try samples()
    let types = try #require(KernelTypes(samples.kernel, samples.modules))
    let found = types.functions(["function_first", "function_second", "function_third"])
    // int and pointer are the kernel's; of a module, the function is the sixth
    #expect(
      found == [
        "function_first": .init(module: "first", id: 8),
        "function_second": .init(module: "second", id: 8),
      ])
  }

  @Test(.enabled(if: Permissions.hasBTF())) func functionsOfTheKernel() throws {
    let types = try #require(KernelTypes(modules: []))
    let found = types.functions(["vfs_read", "do_exit", "no_such_function"])
    #expect(found.keys.sorted() == ["do_exit", "vfs_read"])
    for (name, function) in found {
      #expect(function.id == UInt32(libbpf_find_vmlinux_btf_id(name, BPF_TRACE_FEXIT)))
    }
  }

  /// Names, places and sizes.
  private func members(of name: String, _ btf: OpaquePointer) throws -> [String] {
    let id = btf__find_by_name_kind(btf, name, 4)
    guard id > 0, let type = btf__type_by_id(btf, UInt32(id)) else { return [] }
    let members = UnsafeRawPointer(type + 1).assumingMemoryBound(to: btf_member.self)
    return (0..<Int(type.pointee.info & 0xffff)).map { index in
      let member = members[index]
      let size = btf__resolve_size(btf, member.type)
      return "\(string(btf, member.name_off)) \(member.offset) \(size)"
    }
  }

  private func string(_ btf: OpaquePointer, _ offset: UInt32) -> String {
    btf__str_by_offset(btf, offset).map { String(cString: $0) } ?? ""
  }
}

extension PrunedBTF {
  fileprivate init?(
    _ kernel: [UInt8], _ modules: [(name: String, bytes: [UInt8])], _ names: [String]
  ) {
    guard let types = KernelTypes(kernel, modules) else { return nil }
    self.init(types, names: names)
  }
}

extension KernelTypes {
  fileprivate init?(_ kernel: [UInt8], _ modules: [(name: String, bytes: [UInt8])]) {
    guard let kernel = FileBytes(kernel) else { return nil }
    var files: [(name: String, file: FileBytes)] = []
    for module in modules {
      guard let file = FileBytes(module.bytes) else { return nil }
      files.append((module.name, file))
    }
    self.init(kernel: kernel, modules: files)
  }
}
