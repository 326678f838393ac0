// SPDX-License-Identifier: Apache-2.0

import CBPF
import Testing

@testable import Kernel

/// What libbpf is told belongs to one loader, and is gone with it.
@Suite struct ProgramLoaderTests {
  private static let noObject = [UInt8](repeating: 0x6d, count: 64)

  @Test func whatLibbpfSaysIsInTheLogOfItsLoader() {
    let first = ProgramLoader()
    #expect(first.open(Self.noObject, name: "nothing", types: nil) == nil)
    #expect(first.log.contains("libbpf: "))
    #expect(ProgramGroup.lastWords(of: first.log).contains("nothing"))
  }

  @Test func anotherLoaderHasALogOfItsOwn() {
    do {
      let first = ProgramLoader()
      #expect(first.open(Self.noObject, name: "nothing", types: nil) == nil)
    }
    let second = ProgramLoader()
    #expect(second.log.isEmpty)
  }

  /// One that comes while another is there waits for it: libbpf has a single table of handlers.
  @Test func loadersOfSeveralThreadsDoNotMeet() async {
    let image = BPFObjectImage.bytes()
    let programs = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<8 {
        group.addTask {
          (0..<4).count { _ in
            let loader = ProgramLoader()
            loader.setTargets(["hmm_range_fault": .init(module: nil, id: 1)])
            guard let object = loader.open(image, name: "mrtrace", types: nil) else { return false }
            defer { bpf_object__close(object) }
            return loader.log.isEmpty
          }
        }
      }
      return await group.reduce(0, +)
    }
    #expect(programs == 32)
  }

  /// Without the kernel's leave to load anything, a loader is used up as after a load.
  @Test func oneAfterTheOther() throws {
    for name in ["one", "two", "three"] {
      let loader = ProgramLoader()
      loader.nameCall(1, id: 2)
      loader.setIterator(3)
      let image = BPFObjectImage.decode(BPFObjectImage.symbols)
      let object = try #require(loader.open(image, name: name, types: nil))
      #expect(String(cString: bpf_object__name(object)) == name)
      bpf_object__close(object)
    }
  }
}
