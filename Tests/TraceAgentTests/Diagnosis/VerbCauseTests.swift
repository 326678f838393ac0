// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Model
import Testing

@Suite struct VerbCauseTests {
  // MARK: registration

  static func odp(_ errno: Errno, on kernel: Scene.Kernel = .v612) -> Scene {
    var scene = Scene(.regMR, errno, on: kernel)
    scene.operation.deviceHasODP = false
    return scene
  }

  @Test(arguments: [Errno.inval, .opnotsupp])
  func odpUnsupported(_ errno: Errno) throws {
    let scene = Self.odp(errno)
    let diagnosis = try scene.expect("odp-unsupported")
    #expect(
      diagnosis.chainText == [
        "ib_check_mr_access -\(errno) replayed", "ib_uverbs_reg_mr -\(errno) direct",
      ])
    try scene.changed { $0.operation.deviceHasODP = true }.expectUnknown()
    try scene.changed { $0.operation.deviceHasODP = nil }.expectUnknown()
    try scene.changed { $0.operation.mr.access = 1 }.expectUnknown()
    try scene.changed { $0.layer("ib_umem_odp_get", -Int64(Errno.nospc.rawValue)) }.expectUnknown()
    try scene.changed { $0.operation.result = -12 }.expectUnknown()
  }

  @Test func earlierChecksComeFirst() throws {
    let scene = Self.odp(.inval)
    try scene.changed { $0.operation.mr.iova = Scene.base + 8 }.expect("address-misaligned")
    try scene.changed { $0.operation.mr.access = 0x42 }.expect("access-flags-invalid")
    try scene.changed { $0.operation.mr.iova = nil }.expectUnknown()
  }

  @Test func driverThatIgnoresOnDemand() throws {
    var scene = Scene.pin(.opnotsupp, access: 0x41)
    scene.map(.fsdax)
    try scene.expect("odp-unsupported")
  }

  @Test func misaligned() throws {
    var scene = Scene(.regMR, .inval)
    scene.operation.mr.iova = 0x10_0008
    try scene.expect("address-misaligned")
    try scene.changed { $0.operation.mr.iova = 0x10_0000 }.expectUnknown()
    // It came as far as the pin: the alignment passed.
    try scene.changed { $0.layer("ib_umem_get", -22, [9, Scene.base, 4096, 1]) }.expect(
      "dma-mapping-failed", .inferred)
  }

  @Test func accessFlags() throws {
    var scene = Scene(.regMR, .inval)
    scene.operation.mr.access = 0x2
    try scene.expect("access-flags-invalid")
    try scene.changed { $0.operation.mr.access = 0x8 }.expect("access-flags-invalid")
    try scene.changed { $0.operation.mr.access = 1 << 15 | 1 }.expect("access-flags-invalid")
    try scene.changed { $0.operation.mr.access = 0xb }.expectUnknown()
    // Optional bits are ignored by kernels that do not know them.
    try scene.changed { $0.operation.mr.access = 1 << 29 | 1 }.expectUnknown()
  }

  @Test func registrationMethodIsNamedByItsStack() throws {
    var scene = Scene(.regMR, .inval, on: .v73)
    scene.operation.mr.iova = 8
    scene.operation.kernelStack = [
      .init(address: 1, name: "ib_uverbs_handler_UVERBS_METHOD_REG_MR+0x12")
    ]
    let diagnosis = try scene.expect("address-misaligned")
    #expect(
      diagnosis.chainText == ["ib_uverbs_handler_UVERBS_METHOD_REG_MR -EINVAL direct"])
  }

  // MARK: advice

  static func advise(_ errno: Errno, advice: UInt32 = 0) -> Scene {
    var scene = Scene(.adviseMR, errno, on: .v73)
    scene.operation.advice = Advice(advice: advice, flags: 1, sgeCount: 1)
    scene.operation.lkey = 0x1a2b
    scene.operation.driverHasAdvise = true
    return scene
  }

  @Test func driverWithoutAdvice() throws {
    let scene = Self.advise(.opnotsupp)
    try scene.expectUnknown()
    try scene.changed { $0.operation.driverHasAdvise = false }.expect("advise-unsupported")
    try scene.changed { $0.operation.driverHasAdvise = nil }.expectUnknown()
  }

  @Test func unknownKey() throws {
    var scene = Self.advise(.inval)
    scene.operation.mr.access = nil
    scene.layer("rxe_ib_advise_mr", -22)
    let either = try scene.expect("mr-key-invalid")
    #expect(either.summary.contains("lkey 0x1a2b"))
    #expect(either.summary.contains("lacks LOCAL_WRITE"))
    let good = try scene.changed { $0.operation.mr.access = 0x41 }.expect("mr-key-invalid")
    #expect(!good.summary.contains("lacks LOCAL_WRITE"))
    try scene.changed { $0.operation.mr.access = 0x44 }.expect("mr-not-writable")
    // Refused behind the lookup, it is not the key.
    try scene.changed { $0.layer("ib_umem_odp_map_dma_and_lock", -22) }.expectUnknown()
    try scene.changed { $0.operation.layers = [] }.expectUnknown()
  }

  @Test func unknownKeyOfMlx5() throws {
    var scene = Self.advise(.noent)
    scene.layer("get_prefetchable_mr", -2)
    scene.layer("mlx5_ib_advise_mr", -2)
    try scene.expect("mr-key-invalid")
    var foreign = Self.advise(.perm)
    foreign.layer("get_prefetchable_mr", -1)
    try foreign.expect("mr-key-invalid")
    // Writing to a read-only MR has the same errno as a foreign protection domain.
    var writing = Self.advise(.perm, advice: 1)
    writing.layer("get_prefetchable_mr", -1)
    try writing.changed { $0.operation.mr.access = nil }.expectUnknown()
    try writing.changed { $0.operation.mr.access = 0x44 }.expect("mr-not-writable")
    try writing.expect("mr-key-invalid")
  }

  @Test func writeAdviceOnReadOnlyMR() throws {
    var scene = Self.advise(.perm, advice: 1)
    scene.layer("rxe_ib_advise_mr", -1)
    // The MR is known to be writable, so it was something else.
    try scene.expectUnknown()
    scene.operation.mr.access = 0x44
    try scene.expect("mr-not-writable")
    scene.operation.mr.access = nil
    try scene.expect("mr-not-writable")
    try scene.changed { $0.operation.advice?.advice = 0 }.expectUnknown()
    // The mapping's refusal comes through the umem.
    try scene.changed { $0.layer("ib_umem_odp_map_dma_and_lock", -1) }.expectUnknown()
  }

  // MARK: range

  static func mapped(
    _ result: Int64, start: UInt64, length: UInt64, shift: UInt32 = 12
  ) -> Scene {
    var scene = advise(Errno(rawValue: Int32(-result)))
    scene.umem(pageShift: shift)
    scene.layer("ib_umem_odp_map_dma_and_lock", result, [1, start, length, 1 << 63, 1])
    scene.layer("rxe_ib_advise_mr", result)
    return scene
  }

  @Test func outsideTheMR() throws {
    let diagnosis = try Self.mapped(-14, start: Scene.base + 0x1f_f000, length: 0x2000).expect(
      "mr-range-exceeded")
    #expect(diagnosis.summary.contains("0x7f10c01ff000 to 0x7f10c0201000 is not inside the MR"))
    try Self.mapped(-14, start: Scene.base - 4096, length: 4096).expect("mr-range-exceeded")
    try Self.mapped(-14, start: Scene.base, length: 0x20_0000).expectUnknown()
    try Self.mapped(-22, start: Scene.base - 4096, length: 4096).expectUnknown()
  }

  @Test func rangeIsRoundedToTheUmemsPages() throws {
    let scene = Self.mapped(-14, start: Scene.base, length: 0x20_0800)
    try scene.expect("mr-range-exceeded")
    let odd = scene.changed { $0.operation.umems[0].region?.length = 0x20_0001 }
    try odd.expectUnknown()
    try odd.changed { $0.operation.umems[0].region?.length = 0x20_0000 }.expect(
      "mr-range-exceeded")
    try Self.mapped(-14, start: Scene.base + 0x20_0000, length: 4096, shift: 30).expectUnknown()
  }

  @Test func insideWithAPageAtFault() throws {
    var scene = Self.mapped(-14, start: Scene.base - 4096, length: 4096)
    scene.range()
    try scene.expectUnknown()
  }

  @Test func iovaTakenForAnAddress() throws {
    var scene = Self.mapped(-14, start: 0x1000, length: 4096)
    scene.operation.mr.iova = 0
    let diagnosis = try scene.expect("mr-range-exceeded")
    #expect(diagnosis.summary.contains("took for an address"))
  }

  @Test func mlx5ChecksItself() throws {
    var scene = Scene(.pageFault, .fault, on: .v612)
    scene.umem()
    scene.layer("pagefault_mr", -14, [1, Scene.base + 0x20_0000, 4096])
    try scene.expect("mr-range-exceeded")
    scene.operation.layers[0].arguments[1] = Scene.base
    try scene.expectUnknown()
  }

  // MARK: umem

  @Test func ownerGone() throws {
    let scene = Self.mapped(-22, start: Scene.base, length: 4096)
    try scene.expect("owner-exited")
    try scene.changed { $0.traits = Scene.traits(.v612) }.expect("owner-exited")
    // With the same errno: the owner may be alive, and the memory in small pages.
    try scene.changed { $0.operation.umems[0].pageShift = 21 }.expect(
      "page-size-mismatch", .inferred)
    try scene.changed { $0.range("hmm_range_fault", .inval) }.expectUnknown()
    try scene.changed {
      $0.operation.layers[0].arguments[3] = 0
      $0.traits = Scene.traits(.v612)
    }.expectUnknown()
  }

  @Test func emptyAdvice() throws {
    try Self.mapped(-22, start: Scene.base, length: 0).expect("length-invalid")
    try Self.mapped(-22, start: Scene.base + 1, length: 0).expectUnknown()
  }

  @Test func invalidatedForASecond() throws {
    try Self.mapped(-16, start: Scene.base, length: 4096).expect("invalidation-livelock")
  }

  static func get(_ result: Int64, address: UInt64 = Scene.base, size: UInt64) -> Scene {
    var scene = Scene(.regMR, Errno(rawValue: Int32(-result)))
    scene.layer("ib_umem_odp_get", result, [1, address, size, 0x41])
    return scene
  }

  @Test func lengths() throws {
    try Self.get(-75, size: .max - 4096).expect("length-invalid")
    try Self.get(-75, size: 4096).expectUnknown()
    try Self.get(-22, size: 0).expect("length-invalid")
    try Self.get(-22, size: 1).expectUnknown()
    try Scene.pin(.inval, pages: 0).expect("length-invalid")
    try Scene.pin(.inval, pages: 1).expect("dma-mapping-failed", .inferred)
    try Scene.pin(.inval, pages: 1 << 32).expect("length-invalid")
    try Scene.pin(.inval, pages: (1 << 52) - Scene.base >> 12).expect("length-invalid")
  }

  @Test func pageList() throws {
    try Self.get(-12, size: 1 << 46).expect("page-list-allocation")
    try Self.get(-95, size: 4096).expect("dma-unsupported")
    try Self.get(-4, size: 4096).expectUnknown()
  }

  @Test func pointerIsNoErrno() throws {
    // ib_umem_odp_get() succeeded: its result is a kernel address, negative as a number.
    var scene = Self.get(-12, size: 4096)
    scene.operation.layers[0].result = -0x7777_0000_1234
    let diagnosis = try scene.expectUnknown()
    #expect(diagnosis.chainText == ["ib_uverbs_reg_mr -ENOMEM direct"])
  }
}
