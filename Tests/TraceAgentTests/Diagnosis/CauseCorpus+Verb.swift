// SPDX-License-Identifier: Apache-2.0

import Model

// What verbs and drivers refuse.
extension CorpusEntry {
  private static func registration(
    _ errno: Errno, access: UInt32 = 1, on kernel: Scene.Kernel = .v72, driver: String? = nil,
    _ change: (inout Scene) -> Void = { _ in }
  ) -> Scene {
    .make(.regMR, errno, on: kernel) {
      $0.operation.mr.access = access
      $0.operation.deviceHasODP = true
      change(&$0)
      if let driver { $0.layer(driver, -Int64(errno.rawValue)) }
    }
  }

  private static func advice(
    _ errno: Errno, advice: UInt32 = 0, access: UInt32? = 0x41, driver: String? = nil,
    key: Bool = false
  ) -> Scene {
    VerbCauseTests.advise(errno, advice: advice).changed {
      $0.operation.mr.access = access
      let result = -Int64(errno.rawValue)
      if key { $0.layer("get_prefetchable_mr", result, [1, UInt64(advice), 0x1a2b]) }
      if let driver { $0.layer(driver, result, [1, UInt64(advice)]) }
    }
  }

  private static func pageFault(
    _ function: String, _ result: Int64, _ arguments: [UInt64] = [], on kernel: Scene.Kernel = .v72,
    _ change: (inout Scene) -> Void = { _ in }
  ) -> Scene {
    .make(.pageFault, Errno(rawValue: Int32(-result)), on: kernel) {
      $0.layer(function, result, arguments)
      change(&$0)
    }
  }

  static let verbEntries: [CorpusEntry] = [
    CorpusEntry(
      "odp-unsupported", "V3",
      registration(.opnotsupp, access: 0x41) { $0.operation.deviceHasODP = false }
    ) { $0.operation.deviceHasODP = true },
    CorpusEntry(
      "odp-unsupported", "V6",
      registration(.inval, access: 0x41, driver: "mlx5_ib_reg_user_mr") {
        $0.operation.mr.address = 0
        $0.operation.mr.iova = 0
        $0.operation.mr.length = .max
      }
    ) { $0.layer("ib_umem_odp_get", -22, [1, 0, .max, 0x41]) },
    CorpusEntry(
      "advise-unsupported", "V8",
      advice(.opnotsupp).changed { $0.operation.driverHasAdvise = false }
    ) { $0.operation.driverHasAdvise = true },
    CorpusEntry(
      "advise-unsupported", "V8", advice(.opnotsupp, advice: 9, driver: "rxe_ib_advise_mr")
    ) { $0.operation.layers[0].result = -14 },
    CorpusEntry(
      "address-misaligned", "V1", registration(.inval) { $0.operation.mr.iova = 0x1008 }
    ) { $0.operation.mr.iova = 0x1000 },
    CorpusEntry("access-flags-invalid", "V2", registration(.inval, access: 2)) {
      $0.operation.mr.access = 3
    },
    CorpusEntry(
      "access-flags-invalid", "V4",
      registration(.opnotsupp, access: 0x101) { $0.operation.deviceFlush = 0 }
    ) { $0.operation.deviceFlush = 0x100 },
    CorpusEntry("access-flags-invalid", "V4", registration(.inval, access: 0x101, on: .v61)) {
      $0.operation.deviceFlush = 0x300
    },
    CorpusEntry(
      "access-flags-invalid", "V4", registration(.inval, access: 0x201, driver: "rxe_reg_user_mr")
    ) { $0.operation.mr.access = 0x101 },
    CorpusEntry(
      "access-flags-invalid", "V7",
      registration(.opnotsupp, access: 0x81, driver: "rxe_reg_user_mr")
    ) { $0.operation.mr.access = 0x1 },
    CorpusEntry(
      "access-flags-invalid", "V7",
      registration(.opnotsupp, access: 0x41, driver: "rxe_reg_user_mr") {
        $0.operation.mr.address = 0
        $0.operation.mr.iova = 0
        $0.operation.mr.length = .max
      }
    ) { $0.operation.mr.length = 4096 },
    CorpusEntry(
      "access-flags-invalid", "V7",
      registration(.inval, access: 0x41, driver: "rxe_reg_user_mr") {
        $0.operation.mr.address = 0
        $0.operation.mr.iova = 0
        $0.operation.mr.length = .max
      }
    ) { $0.operation.mr.length = 4096 },
    CorpusEntry(
      "access-flags-invalid", "U10",
      registration(.inval, access: 0xc1, driver: "mlx5_ib_reg_user_mr") {
        $0.operation.mr.address = 0
        $0.operation.mr.iova = 0
        $0.operation.mr.length = .max
        $0.layer("ib_umem_odp_alloc_implicit", -22, [1, 0xc1])
      }
    ) { $0.operation.mr.access = 0x41 },
    CorpusEntry(
      "mr-not-writable", "V10", advice(.perm, advice: 1, access: 0x44, driver: "rxe_ib_advise_mr")
    ) { $0.operation.mr.access = 0x41 },
    CorpusEntry("mr-not-writable", "V10", advice(.inval, access: 0x44, driver: "rxe_ib_advise_mr"))
    {
      $0.operation.mr.access = 0x41
    },
    CorpusEntry(
      "mr-not-writable", "V9",
      advice(.perm, advice: 1, access: 0x44, driver: "mlx5_ib_advise_mr", key: true)
    ) { $0.operation.mr.access = nil },
    CorpusEntry(
      "mr-not-writable", "V15",
      pageFault("rxe_odp_map_range_and_lock", -14, [1, Scene.base, 4096, 0]) {
        $0.operation.mr.access = 0x44
      }
    ) { $0.operation.layers[0].arguments[3] = 1 },
    CorpusEntry("mr-key-invalid", "V10", advice(.inval, access: nil, driver: "rxe_ib_advise_mr")) {
      $0.operation.mr.access = 0x44
    },
    CorpusEntry(
      "mr-key-invalid", "V9", advice(.noent, driver: "mlx5_ib_advise_mr", key: true)
    ) { $0.operation.layers.removeFirst() },
    CorpusEntry(
      "mr-key-invalid", "V13", .inferred, pageFault("pagefault_single_data_segment", -14)
    ) { $0.operation.umemIdentity = 7 },
    CorpusEntry(
      "mr-range-exceeded", "V13", .inferred,
      pageFault("pagefault_single_data_segment", -14) { $0.operation.umemIdentity = 7 }
    ) { $0.operation.umemIdentity = nil },
    CorpusEntry(
      "mr-range-exceeded", "V11",
      pageFault("pagefault_mr", -14, [1, Scene.base + 0x1f_f000, 0x2000])
    ) { $0.operation.layers[0].arguments[2] = 0x1000 },
    CorpusEntry(
      "mr-range-exceeded", "V12",
      pageFault("pagefault_mr", -14, [1, 1 << 47, 0x1000]) {
        $0.operation.mr.address = 0
        $0.operation.mr.iova = 0
        $0.operation.mr.length = .max
      }
    ) { $0.operation.layers[0].arguments[1] = 1 << 46 },
    CorpusEntry(
      "mr-range-exceeded", "V17",
      pageFault("mr_check_range", -22, [1, Scene.base + 0x1f_f000, 0x2000], on: .v73)
    ) { $0.operation.layers[0].arguments[2] = 0x1000 },
    CorpusEntry(
      "owner-exited", "V12", pageFault("ib_umem_odp_alloc_child", -14, [1, Scene.base, 1 << 30])
    ) { $0.operation.layers[0].result = -12 },
    CorpusEntry(
      "dma-mapping-failed", "V14", .inferred, pageFault("mlx5r_umr_update_xlt", -14)
    ) { $0.operation.layers[0].result = -12 },
    CorpusEntry(
      "page-list-allocation", "U1", .inferred, registration(.nomem, driver: "rxe_reg_user_mr")
    ) { $0.layer("ib_umem_get", -12, [1, Scene.base, 0x1000, 1]) },
  ]
}
