// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Kernel

@Suite struct KernelSymbolsTests {
  private let text = """
    ffffffff81000000 T _text
    ffffffff81234560 t hmm_vma_fault.isra.0
    ffffffff81234700 t hmm_vma_walk_pmd
    ffffffff81234900 T hmm_range_fault
    ffffffffc0a01000 t rxe_ib_advise_mr\t[rdma_rxe]
    ffffffffc0a02000 t other\t[rdma_rxe]

    """

  /// The file cut into chunks of any size gives the same.
  @Test(arguments: [1, 2, 7, 16, 64, 4096])
  func chunksOfAnySize(size: Int) {
    var parser = KallsymsParser()
    var seen: [String] = []
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: size) {
      bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { chunk in
        parser.feed(chunk) { address, _, line in
          if let (name, module) = KallsymsParser.nameAndModule(line) {
            seen.append("\(String(address, radix: 16)) \(name) \(module ?? "-")")
          }
        }
      }
    }
    #expect(parser.lines == 6)
    #expect(seen.first == "ffffffff81000000 _text -")
    #expect(seen.contains("ffffffffc0a01000 rxe_ib_advise_mr rdma_rxe"))
    #expect(seen.count == 6)
  }

  /// Until a module is ready, kallsyms shows what it takes from others as its own.
  @Test func whatAModuleTakesFromOthersIsNotIts() throws {
    let scratch = try ScratchDirectory()
    let lines = """
      ffffffffc0a01000 u ib_umem_odp_get\t[rdma_rxe]
      ffffffffc0a01000 U ib_umem_odp_get\t[rdma_rxe]
      ffffffffc0a01000 T ib_umem_odp_get\t[ib_core]

      """
    try lines.write(toFile: scratch("kallsyms"), atomically: true, encoding: .utf8)
    let symbols = try KernelSymbols.read(wanted: ["ib_umem_odp_get"], from: scratch("kallsyms"))
    #expect(symbols["ib_umem_odp_get"]?.module == "ib_core")
  }

  @Test func wantedNamesAndTheirClones() throws {
    let path = NSTemporaryDirectory() + "kallsyms-\(UUID().uuidString)"
    try text.write(toFile: path, atomically: false, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let symbols = try KernelSymbols.read(
      wanted: ["hmm_vma_fault", "rxe_ib_advise_mr", "absent"], from: path)
    #expect(!symbols.has("hmm_vma_fault"))
    #expect(symbols.clone(of: "hmm_vma_fault") == "hmm_vma_fault.isra.0")
    #expect(symbols["rxe_ib_advise_mr"]?.module == "rdma_rxe")
    #expect(!symbols.has("other"))
    #expect(!symbols.has("absent"))

    let names = KernelSymbols.names(
      of: [0xffff_ffff_8123_4712, 0xffff_ffff_8123_4900, 0x10], from: path)
    #expect(names[0xffff_ffff_8123_4712] == "hmm_vma_walk_pmd+0x12")
    #expect(names[0xffff_ffff_8123_4900] == "hmm_range_fault+0x0")
    #expect(names[0x10] == nil)
  }

  @Test func aPieceOfAFunctionIsNoClone() {
    let pieces = KernelSymbols([
      "a.cold": .init(address: 1, module: nil), "b.part.0": .init(address: 2, module: nil),
      "c.constprop.0.cold": .init(address: 3, module: nil),
      "c.constprop.0": .init(address: 4, module: nil),
    ])
    #expect(pieces.clone(of: "a") == nil)
    #expect(pieces.clone(of: "b") == nil)
    #expect(pieces.clone(of: "c") == "c.constprop.0")
  }

  @Test func unreadableFileIsAnError() {
    #expect(throws: KernelError.self) {
      try KernelSymbols.read(wanted: [], from: "/nonexistent/kallsyms")
    }
  }

  /// What the program in the kernel calculates for a copy is what it does for the name itself, of any length.
  @Test(arguments: [
    "a", "_text", "zero_pfn", "fifteen_letters", "sixteen__letters", "hmm_vma_walk_pmd_and_more",
  ])
  func copiesAreWantedAsWell(name: String) {
    let bit = WantedSymbols.bit(of: name)
    #expect(bit < WantedSymbols.bits)
    #expect(WantedSymbols.bit(of: "\(name).isra.0") == bit)
    let table = WantedSymbols.table([name])
    #expect(table[bit / 64] == 1 << UInt64(bit % 64))
    #expect(table.reduce(0) { $0 + $1.nonzeroBitCount } == 1)
  }
}
