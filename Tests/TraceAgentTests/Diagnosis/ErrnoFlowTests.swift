// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

@testable import Diagnosis

/// The table against what `lab/errno-flow` found in the sources of 5.10 to 7.3.
@Suite struct ErrnoFlowTests {
  /// What one function of one kernel does.
  struct Fact {
    var kernel: String
    /// The row that it is part of: its function, or one that it calls.
    var row: String
    var function: String
    var errnos: Set<Errno>
    /// Functions that it calls, and what it makes of their errnos.
    var calls: [String: Set<String>]
  }

  private static func facts() throws -> [Fact] {
    let path = try #require(Bundle.module.resourceURL).appending(path: "Fixtures/errno-flow.tsv")
      .path
    return try String(decoding: contents(of: path), as: UTF8.self).split(separator: "\n")
      .filter { !$0.hasPrefix("#") }
      .map { line in
        let fields = line.split(separator: "\t").map(String.init)
        try #require(fields.count == 6, "\(line)")
        let errnos = fields[4] == "-" ? [] : fields[4].split(separator: ",")
        var calls: [String: Set<String>] = [:]
        for call in fields[5] == "-" ? [] : fields[5].split(separator: ",") {
          let parts = call.split(separator: ":")
          calls[String(parts[0])] = Set(parts[1].split(separator: "+").map(String.init))
        }
        return Fact(
          kernel: fields[0], row: fields[1], function: fields[2],
          errnos: Set(try errnos.map { try #require(Errno(name: String($0)), "\($0)") }),
          calls: calls)
      }
  }

  /// Errnos that come from functions which are not read: GUP, the notifiers, the DMA layer, an xarray.
  private static let fromElsewhere: [String: Set<Errno>] = [
    "hmm_range_fault": [.inval], "hmm_range_fault_locked": [.inval], "hmm_do_fault": [.nomem],
    "hmm_range_fault_unlocked_timeout": [.intr], "ib_umem_odp_get": [.opnotsupp, .intr],
    "ib_umem_odp_alloc_child": [.opnotsupp, .intr], "rxe_reg_user_mr": [.busy],
  ]

  @Test func fiveKernelsWereRead() throws {
    let facts = try Self.facts()
    #expect(Set(facts.map(\.kernel)) == ["5.10", "6.1", "6.12", "7.2", "7.3"])
    let rows = Set(ErrnoFlow.table.filter { !$0.file.isEmpty }.map(\.function))
    #expect(Set(facts.map(\.row)) == rows)
  }

  /// No function names an errno that its row does not have, and no row has one that nobody names.
  @Test func errnosAreThoseOfTheSources() throws {
    let facts = try Self.facts()
    for row in ErrnoFlow.table {
      guard let own = row.own else { continue }
      let named = facts.filter { $0.row == row.function }.reduce(into: Set<Errno>()) {
        $0.formUnion($1.errnos)
      }
      #expect(named.subtracting(own.union(row.drops)).isEmpty, "\(row.function) names \(named)")
      let unnamed = own.subtracting(named).subtracting(Self.fromElsewhere[row.function] ?? [])
      #expect(unnamed.isEmpty, "\(row.function): nobody names \(unnamed)")
    }
  }

  /// Each function of the table that a row's function calls, in some kernel, is in the row, and the other way round.
  @Test func callsAreThoseOfTheSources() throws {
    let facts = try Self.facts()
    let rows = Set(ErrnoFlow.table.map(\.function))
    for row in ErrnoFlow.table where !row.file.isEmpty {
      let called = facts.filter { $0.row == row.function }.reduce(into: Set<String>()) {
        $0.formUnion($1.calls.keys)
      }
      let isByPointer = row.calls.contains { ErrnoFlow.byFunction[$0]?.isAnyDriver == true }
      #expect(
        called.intersection(rows).subtracting(row.calls + [row.function]).isEmpty,
        "\(row.function) calls \(called)")
      if isByPointer {
        #expect(called.contains { $0.hasPrefix("ops.") }, "\(row.function)")
      } else {
        // The walk's callbacks are called by the page walker.
        let missing = Set(row.calls).subtracting(called).filter {
          !($0.hasPrefix("hmm_vma_walk_") && row.function.hasPrefix("hmm_range_fault"))
        }
        #expect(missing.isEmpty, "\(row.function) is not seen to call \(missing)")
      }
    }
  }

  /// What comes from below goes out as it is, but where the row says otherwise.
  @Test func errnosArePassedOnAsTheTableSays() throws {
    for fact in try Self.facts() {
      let row = try #require(ErrnoFlow.byFunction[fact.row])
      for (callee, answers) in fact.calls {
        if row.masked.contains(callee) {
          // cxgb4 does not look at it: its own variable begins with ENOMEM.
          #expect(
            answers == ["\(row.mask?.description ?? "")"] || answers == ["hidden"],
            "\(fact.kernel) \(fact.function): \(answers)")
          continue
        }
        // 5.10 has NULL for an errno, of which its caller makes ENOENT, and a bool.
        if fact.kernel == "5.10", ["get_prefetchable_mr", "init_prefetch_work"].contains(callee) {
          continue
        }
        #expect(answers == ["passed"], "\(fact.kernel) \(fact.function) of \(callee): \(answers)")
      }
    }
  }

  @Test func waysOut() {
    func way(_ inner: String, _ errno: Errno, _ outer: String, _ other: Errno) -> ErrnoFlow.Passage?
    {
      ErrnoFlow.passage(from: inner, errno, to: outer, other)
    }
    let advise = "ib_uverbs_handler_UVERBS_METHOD_ADVISE_MR"
    #expect(way("hmm_vma_walk_test", .fault, advise, .fault) == .certain)
    #expect(way("hmm_vma_walk_test", .fault, "rxe_ib_advise_mr", .perm) == nil)
    #expect(way("rxe_ib_advise_mr", .perm, advise, .inval) == nil)
    #expect(way("rxe_ib_advise_mr", .perm, advise, .perm) == .certain)
    // A driver that nobody sees may be between.
    #expect(way("ib_umem_odp_map_dma_and_lock", .fault, advise, .inval) == .replaced)
    #expect(way("ib_umem_get", .opnotsupp, "ib_uverbs_reg_mr", .nomem) == .replaced)
    #expect(way("ib_umem_get", .opnotsupp, "rxe_reg_user_mr", .nomem) == nil)
    // A sentinel never comes out.
    #expect(way("hmm_vma_walk_pmd", .again, "hmm_range_fault_locked", .again) == nil)
    #expect(way("hmm_range_fault", .busy, "ib_umem_odp_map_dma_and_lock", .busy) == .certain)
    // Pins do not come near HMM.
    #expect(!ErrnoFlow.isCaller("hmm_range_fault", of: "ib_umem_get"))
    #expect(!ErrnoFlow.isCaller(advise, of: "ib_umem_get"))
    #expect(ErrnoFlow.isCaller("ib_umem_odp_map_dma_and_lock", of: "hmm_vma_handle_pte"))
  }

  /// A row can be found by every function that is named in one.
  @Test func everyCalleeHasARow() {
    for row in ErrnoFlow.table {
      for callee in row.calls + row.masked {
        #expect(ErrnoFlow.byFunction[callee] != nil, "\(callee)")
      }
    }
  }
}
