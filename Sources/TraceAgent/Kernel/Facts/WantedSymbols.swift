// SPDX-License-Identifier: Apache-2.0

import CBPF
import CEvents
import Glibc

/// /proc/kallsyms as a program in the kernel shows it (bpf/symbols.bpf.c, Linux 6.0 and later): only lines whose name may
/// be wanted.
enum WantedSymbols {
  static let bits = 32768

  /// Calls `body` with chunks of lines. False: this kernel cannot, or not all could be read.
  static func forEachChunk(
    of wanted: Set<String>, _ body: (UnsafeRawBufferPointer) -> Void
  ) -> Bool {
    guard Capabilities.effective().has(.sysAdmin), let file = TypesFile(),
      let (iterator, cast) = types(file)
    else { return false }
    let loads = cast != nil && KernelFacts.letsLoad()
    // what libbpf says of a kernel that refuses is left in the loader's log
    let loader = ProgramLoader()
    loader.setIterator(iterator)
    if let cast { loader.nameCall(MRT_CALL_CAST, id: cast) }
    let image = BPFObjectImage.decode(BPFObjectImage.symbols)
    guard let object = loader.open(image, name: "symbols", types: file) else { return false }
    defer { bpf_object__close(object) }
    guard fill(object, table(wanted)),
      let program = choose(loads ? "symbols_by_loads" : "symbols", of: object),
      // As if it were for another program: else libbpf reads all of the kernel's types.
      bpf_program__set_attach_target(program, 1, nil) == 0, loader.load(object, types: file) == 0,
      let link = bpf_program__attach_iter(program, nil)
    else { return false }
    defer { bpf_link__destroy(link) }
    let lines = bpf_iter_create(bpf_link__fd(link))
    guard lines >= 0 else { return false }
    defer { close(lines) }
    return read(lines, body)
  }

  /// As the program calculates it: of the first sixteen bytes before a name's first dot.
  static func bit(of name: String) -> Int {
    var words: (UInt64, UInt64) = (0, 0)
    for (index, byte) in name.utf8.prefix(while: { $0 != UInt8(ascii: ".") }).prefix(16)
      .enumerated()
    {
      if index < 8 {
        words.0 |= UInt64(byte) << (8 * UInt64(index))
      } else {
        words.1 |= UInt64(byte) << (8 * UInt64(index - 8))
      }
    }
    let hash = (words.0 &* 0x9e37_79b9_7f4a_7c15 ^ words.1) &* 0xc2b2_ae3d_27d4_eb4f
    return Int(hash >> 49)
  }

  static func table(_ wanted: Set<String>) -> [UInt64] {
    var table = [UInt64](repeating: 0, count: bits / 64)
    for name in wanted {
      let bit = bit(of: name)
      table[bit / 64] |= 1 << UInt64(bit % 64)
    }
    return table
  }

  /// What CO-RE asks for, into `file`; the id of what the program is for, and of bpf_rdonly_cast().
  private static func types(_ file: TypesFile) -> (iterator: UInt32, cast: UInt32?)? {
    let (iterator, cast) = ("bpf_iter_ksym", "bpf_rdonly_cast")
    guard let types = KernelTypes(modules: []) else { return nil }
    let functions = types.functions([iterator, cast])
    guard let function = functions[iterator],
      file.fill(types, names: ["bpf_iter_meta", "kallsym_iter"])
    else { return nil }
    return (function.id, functions[cast]?.id)
  }

  private static func choose(_ name: String, of object: OpaquePointer) -> OpaquePointer? {
    var program = bpf_object__next_program(object, nil)
    while let current = program {
      bpf_program__set_autoload(current, String(cString: bpf_program__name(current)) == name)
      program = bpf_object__next_program(object, current)
    }
    return bpf_object__find_program_by_name(object, name)
  }

  private static func fill(_ object: OpaquePointer, _ table: [UInt64]) -> Bool {
    var map = bpf_object__next_map(object, nil)
    while let current = map {
      if String(cString: bpf_map__name(current)).hasSuffix(".wanted") {
        return table.withUnsafeBytes {
          bpf_map__set_initial_value(current, $0.baseAddress, $0.count)
        } == 0
      }
      map = bpf_object__next_map(object, current)
    }
    return false
  }

  private static func read(_ file: CInt, _ body: (UnsafeRawBufferPointer) -> Void) -> Bool {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 * 1024, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = Glibc.read(file, buffer.baseAddress, buffer.count)
      if count < 0, errno == EINTR || errno == EAGAIN { continue }
      guard count >= 0 else { return false }
      if count == 0 { return true }
      body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }
}
