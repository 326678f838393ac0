// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Model
import Testing

@Suite struct DiagnoseTests {
  @Test(arguments: [0, 16] as [Int64])
  func successIsNotDiagnosed(_ result: Int64) {
    var scene = Scene(.pageFault, .fault)
    scene.operation.result = result
    #expect(scene.diagnosis == nil)
  }

  @Test func nothingKnown() throws {
    let diagnosis = try Scene(.reregMR, .inval).expectUnknown()
    #expect(
      diagnosis.summary
        == "rereg_mr failed with EINVAL in ib_uverbs_rereg_mr(); the evidence proves no cause")
    #expect(diagnosis.chainText == ["ib_uverbs_rereg_mr -EINVAL direct"])
    #expect(diagnosis.page == nil && diagnosis.mapping == nil && diagnosis.references.isEmpty)
  }

  @Test func unknownTellsPageAndState() throws {
    var scene = Scene(.adviseMR, .fault, on: .v72)
    scene.walkTable([Scene.plain, 0], first: 2, last: 3)
    scene.map(.fsdax, at: 2)
    scene.outward()
    scene.operation.lost = 2
    let diagnosis = try scene.expectUnknown(page: 3)
    #expect(
      diagnosis.summary
        == "advise_mr failed with EFAULT in hmm_vma_walk_pmd(): page 0x7f10c0003000 of "
        + "/mnt/pmem/pool (fsdax, offset 12288), not mapped (PTE empty); the evidence proves no "
        + "cause (2 records lost)")
    #expect(diagnosis.page?.level == "pte")
    #expect(diagnosis.fileOffset == 12288)
  }

  @Test func transientResultsAreNoFailures() throws {
    // 7.3: -EAGAIN asks for a fault; -EBUSY for another walk on all.
    var scene = Scene(.adviseMR, .fault, on: .v73)
    scene.walk("hmm_vma_walk_pmd", .again, entry: Scene.table)
    scene.walk("hmm_vma_walk_hole", .busy, first: 9)
    scene.walk("hmm_vma_walk_hole", first: 5, count: 1, hasVMA: false)
    scene.gap(5)
    scene.outward()
    let diagnosis = try scene.expect("mapping-missing", page: 5)
    #expect(!diagnosis.chainText.contains { $0.contains("walk_pmd") })
  }

  @Test func tailCalledHoleIsOneFailure() throws {
    var scene = Scene(.adviseMR, .fault)
    scene.walk("hmm_vma_walk_hole", first: 3, count: 8, last: 3)
    scene.walk("hmm_vma_walk_pmd", first: 3, count: 8, last: 3)
    scene.map(.tmpfs, size: 4096, at: 3)
    scene.levels(3, pmd: 0)
    scene.outward()
    let diagnosis = try scene.expect("fault-beyond-eof", page: 3)
    #expect(
      Array(diagnosis.chainText.prefix(4)) == [
        "handle_mm_fault VM_FAULT_SIGBUS inferred", "hmm_vma_fault -EFAULT replayed",
        "hmm_vma_walk_hole -EFAULT direct", "hmm_vma_walk_pmd -EFAULT direct",
      ])
  }

  @Test func hookOfTheHoleMissing() throws {
    // Only hmm_vma_walk_pmd() was seen, and its entry is empty.
    var scene = Scene(.adviseMR, .fault)
    scene.walk("hmm_vma_walk_pmd", first: 3, count: 8, last: 3)
    scene.map(.tmpfs, size: 4096, at: 3)
    try scene.expect("fault-beyond-eof", page: 3)
  }

  @Test func lastAttemptDecides() throws {
    var scene = Scene(.adviseMR, .fault)
    scene.walk("hmm_vma_walk_test", first: 100, count: 4)
    scene.walk("hmm_vma_walk_hole", first: 5, count: 1, hasVMA: false)
    scene.gap(5)
    // Two callbacks of one range that both fail are of two calls.
    let diagnosis = try scene.expect("mapping-missing", .inferred, page: 5)
    #expect(!diagnosis.chainText.contains { $0.contains("walk_test") })
    #expect(diagnosis.incomplete.count == 1)
  }

  @Test func errnoThatChangesOnTheWay() throws {
    var scene = Scene(.regMR, .inval)
    scene.walk("hmm_vma_walk_hole", first: 5, count: 1, hasVMA: false)
    scene.gap(5)
    scene.range()
    scene.layer("ib_umem_odp_map_dma_and_lock", -14)
    let diagnosis = try scene.expect("mapping-missing", .inferred, page: 5)
    #expect(diagnosis.chain.first?.result == .errno(.fault))
    #expect(diagnosis.chain.last?.result == .errno(.inval))
    #expect(diagnosis.errno == .inval)
  }

  /// A recording may be damaged: no number in it may stop the agent.
  @Test(arguments: Scene.Kernel.allCases)
  func absurdNumbersDoNotTrap(_ kernel: Scene.Kernel) {
    let numbers: [UInt64] = [0, 1, 4095, 1 << 63, .max - 4095, .max]
    let functions = [
      "hmm_vma_walk_pmd", "hmm_vma_walk_pud", "hmm_vma_walk_hole", "hmm_vma_walk_test",
      "hmm_vma_handle_pte", "hmm_vma_walk_hugetlb_entry", "hmm_range_fault_locked", "?",
    ]
    for function in functions {
      for (index, number) in numbers.enumerated() {
        let other = numbers[(index + 3) % numbers.count]
        var scene = Scene(.regMR, .fault, on: kernel)
        scene.operation.result = .min
        var walk = WalkEvidence(
          function: function, timeNs: 0, result: -14, start: number, end: other, hasVMA: true,
          entry: number, rung: .noHook)
        walk.last = other
        scene.operation.walks = [walk]
        scene.operation.entries = [
          .init(what: .pte, search: .faulted, address: number, values: [0, 0, number]),
          .init(what: .hmmPFN, search: .walked, address: other, values: [number]),
        ]
        var mapping = MappingEvidence(
          address: number, found: true, start: number, end: other, vmFlags: 0, pageOffset: number)
        mapping.file = Scene.file(size: number)
        scene.operation.mappings = [mapping]
        scene.fault(2, page: 0)
        scene.operation.faults[0].address = number
        scene.operation.faults[0].fileSize = other
        scene.operation.faults[0].pageOffset = number
        scene.umem(pageShift: UInt32(truncatingIfNeeded: number))
        scene.operation.umems[0].region = AddressRange(start: number, length: other)
        for layer in ["ib_umem_get", "ib_umem_odp_get", "ib_umem_odp_map_dma_and_lock"] {
          scene.layer(layer, -22, [number, other, number, other])
        }
        #expect(scene.diagnosis?.errno.rawValue == .max)
        scene.operation.walks = []
        #expect(scene.diagnosis != nil)
      }
    }
  }

  @Test func tableOfCausesIsSound() {
    let names = Cause.all.map(\.name)
    #expect(Set(names).count == names.count)
    for cause in Cause.all {
      #expect(!cause.sites.isEmpty && !cause.check.isEmpty, "\(cause.name)")
      #expect(!cause.advice.isEmpty && !cause.references.isEmpty, "\(cause.name)")
      #expect(!cause.brief.isEmpty && !cause.brief.hasSuffix("."), "\(cause.name)")
      #expect(!cause.errnos.isEmpty && cause.errnos.allSatisfy { $0.description.hasPrefix("E") })
      #expect(Cause.named(cause.name)?.name == cause.name)
    }
    #expect(Cause.named("unknown") == nil)
  }

  /// The names are a contract: scripts know them.
  @Test func everyPromisedCauseHasARule() {
    let promised = """
      pte-special-devmap pte-special pte-hwpoison pte-marker pte-device-private pmd-unexpected
      mapping-missing mapping-not-readable mapping-not-writable mapping-device mapping-mixedmap
      fault-beyond-eof fault-no-space fault-sigbus fault-hwpoison fault-out-of-memory fault-sigsegv
      fault-userfaultfd invalidation-livelock mm-unstable mr-range-exceeded mr-not-writable
      mr-key-invalid owner-exited dma-mapping-failed dma-unsupported page-size-mismatch
      odp-unsupported advise-unsupported access-flags-invalid address-misaligned length-invalid
      page-list-allocation pin-fsdax pin-file-backed pin-secretmem pin-memlock-limit
      pin-memlock-forbidden pin-migration-failed pin-peer-memory
      rdma-cgroup-limit device-removed killed
      """
    let names = Set(promised.split { $0 == " " || $0 == "\n" }.map(String.init))
    #expect(names.count == 43)
    #expect(names == Set(Cause.all.map(\.name)))
  }
}
