// SPDX-License-Identifier: Apache-2.0

import CEvents
import Model
import Testing

@Suite struct OperationKindTests {
  /// The table's numbers are those of `enum mrt_operation_kind`.
  @Test func numbersAreThoseOfTheRecords() {
    let recorded: [(Operation.Kind, mrt_operation_kind)] = [
      (.regMR, MRT_OP_REG_MR), (.reregMR, MRT_OP_REREG_MR), (.adviseMR, MRT_OP_ADVISE_MR),
      (.pageFault, MRT_OP_PAGE_FAULT), (.prefetch, MRT_OP_PREFETCH),
    ]
    #expect(recorded.count == Operation.Kind.allCases.count)
    for (kind, number) in recorded {
      #expect(kind.number == number.rawValue)
      #expect(Operation.Kind(number: number.rawValue) == kind)
    }
    #expect(Operation.Kind(number: 0) == nil)
    #expect(Operation.Kind(number: UInt32.max) == nil)
  }

  /// Tables of all kinds are indexed by their places.
  @Test func placesAreInOrder() {
    #expect(Operation.Kind.allCases.map(\.place) == Array(Operation.Kind.allCases.indices))
  }
}
