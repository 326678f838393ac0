// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import Diagnosis

/// Sentences and advice that come from what stands behind a mapping.
@Suite struct BackingCauseTests {
  private func huge(
    _ flags: VMAFlags, pool change: (inout BackingEvidence.Pool) -> Void = { _ in },
    limits fill: (inout BackingEvidence) -> Void = { _ in }
  ) throws -> Diagnosis {
    var pool = Scene.pool
    change(&pool)
    let scene = CorpusEntry.hugetlb(2).changed {
      $0.operation.mappings[0].vmFlags = flags.union([.read, .write]).rawValue
      $0.hugePages(pool, fill)
    }
    let found = try #require(diagnose(scene.operation, traits: scene.traits))
    #expect(found.cause == "fault-sigbus")
    #expect(found.confidence == .proved)
    return found
  }

  private static let small = BackingEvidence.Group(number: 77, usage: 512, max: 512)
  private static let large = BackingEvidence.Group(number: 1, usage: 512, max: 1 << 51 - 1)

  @Test func poolIsEmptyAndNothingIsReserved() throws {
    let found = try huge([.noReserve, .mayShare, .shared])
    #expect(found.summary.contains("none to give (4 in the pool, 0 free, of these 0 reserved"))
    #expect(found.summary.contains("it was made with MAP_NORESERVE"))
    #expect(found.advice.contains { $0.contains("hugepages-2048kB/nr_hugepages") })
  }

  /// There are free ones, but all of them are promised.
  @Test func allFreeOnesAreReserved() throws {
    let found = try huge(
      [.noReserve],
      pool: {
        $0.free = 2
        $0.reserved = 2
      })
    #expect(found.summary.contains("2 free, of these 2 reserved"))
  }

  @Test func forkLeavesTheReservationWithTheParent() throws {
    let found = try huge([])
    #expect(found.summary.contains("came by fork"))
    #expect(found.advice.contains { $0.contains("MADV_DONTFORK") })
    let owner = try huge([], pool: { $0.isReserveOwner = true })
    #expect(!owner.summary.contains("came by fork"))
  }

  @Test func pageWasTakenForTheOwner() throws {
    let found = try huge([], pool: { $0.wasUnmapped = true })
    #expect(found.summary.contains("was taken away again"))
  }

  @Test func limitOfTheControlGroup() throws {
    for flags: VMAFlags in [[.noReserve], [.shared, .mayShare]] {
      let found = try huge(flags, pool: { $0.free = 3 }, limits: { $0.group = Self.small })
      #expect(found.summary.contains("beyond the limit of its control group"))
      #expect(
        found.summary.contains("2097152 bytes are used of 2097152 (hugetlb.2MB.max of number 77"))
      #expect(found.advice.count == 1 && found.advice[0].contains("More pages in the pool"))
    }
  }

  /// What was reserved when it was mapped is not charged again.
  @Test func limitOfReservations() throws {
    func set(_ backing: inout BackingEvidence) {
      backing.groupReserved = Self.small
      backing.group = Self.large
    }
    let found = try huge([.noReserve], pool: { $0.free = 3 }, limits: set)
    #expect(found.summary.contains("hugetlb.2MB.rsvd.max"))
    let reserved = try huge([.shared, .mayShare], pool: { $0.free = 3 }, limits: set)
    #expect(!reserved.summary.contains("rsvd"))
  }

  @Test func sizeOfTheMount() throws {
    let found = try huge(
      [.noReserve], pool: { $0.free = 3 }, limits: { $0.subpool = .init(max: 2, used: 2) })
    #expect(found.summary.contains("beyond the size of its hugetlbfs mount: 2 of 2"))
    // Its own reservation fills the mount.
    let reserved = try huge(
      [.shared, .mayShare], limits: { $0.subpool = .init(max: 2, used: 2) })
    #expect(!reserved.summary.contains("mount"))
    let unlimited = try huge(
      [.noReserve], pool: { $0.free = 3 }, limits: { $0.subpool = .init(max: -1, used: 2) })
    #expect(!unlimited.summary.contains("mount"))
  }

  @Test func noLimitIsMet() throws {
    let found = try huge([.noReserve], pool: { $0.free = 3 }, limits: { $0.group = Self.large })
    #expect(found.summary.contains("ended in SIGBUS"))
    #expect(found.advice == Cause.named("fault-sigbus")?.advice)
  }

  @Test func noMemoryInOnePiece() throws {
    let found = try huge([.noReserve], pool: { $0.overcommit = 5 })
    #expect(found.summary.contains("no memory of that size in one piece"))
  }

  @Test func tmpfsHasItsNumbers() throws {
    let entry = try #require(CorpusEntry.backingEntries.first)
    let found = try #require(diagnose(entry.scene.operation, traits: entry.scene.traits))
    #expect(found.summary.contains("8 of 8 are used (32768 bytes)"))
    #expect(found.advice.first?.contains("remount,size=") == true)
  }

  @Test func theMarkerMayBeTheHandlers() throws {
    func diagnosis(_ kernel: Scene.Kernel, _ flags: VMAFlags) throws -> Diagnosis {
      var scene = CorpusEntry.stopped(on: kernel, entry: Scene.swap(31, 2))
      scene.map(.anonymous, flags.union([.read, .write]))
      return try #require(diagnose(scene.operation, traits: scene.traits))
    }
    let user = try diagnosis(.v618, .uffdMissing)
    #expect(user.cause == "fault-hwpoison")
    #expect(user.advice.first?.contains("UFFDIO_POISON") == true)
    #expect(user.summary.contains("which UFFDIO_POISON leaves"))
    let memory = try diagnosis(.v618, [])
    #expect(memory.cause == "fault-hwpoison")
    #expect(memory.advice == Cause.named("fault-hwpoison")?.advice)
  }

  @Test func theBackingFileIsTold() throws {
    let scene = Scene.pin(.fault).changed {
      $0.mapFile("ext4", path: "/merged/f")
      $0.backing(page: 0) {
        $0.writes = .init(pageMkwrite: true, pfnMkwrite: false, canWriteBack: true)
        $0.path = .init(text: "/disk/upper/f", isCut: false)
      }
    }
    let found = try #require(diagnose(scene.operation, traits: scene.traits))
    #expect(found.mapping?.file?.path == "/merged/f")
    #expect(found.backing?.path?.text == "/disk/upper/f")
    #expect(found.summary.contains("of /merged/f"))
  }
}
