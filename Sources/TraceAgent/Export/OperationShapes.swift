// SPDX-License-Identifier: Apache-2.0

import Model

/// The shapes of the objects of `report --json`, which `Terminal` writes.
enum OperationShapes {
  static var definitions: [(name: String, shape: Shape)] {
    [
      ("failure", .object([required("type", .constant("failure"))] + who + failure)),
      ("operation", .object([required("type", .constant("operation"))] + who + success)),
      ("task", .object([required("pid"), required("tid"), required("comm", .text)])),
      ("mr", mr), ("request", request), ("link", link), ("page", page), ("neighbour", neighbour),
      ("mapping", mapping), ("gap", gap), ("frame", frame), ("what_if", whatIf),
      ("backing", backing), ("group", group),
      // Everything that was recorded, where no cause is proved: for a person to read.
      ("evidence", .object([])),
    ]
  }

  private static func required(_ key: String, _ shape: Shape = .natural) -> Shape.Member {
    .init(key: key, shape: shape, isRequired: true)
  }

  private static func optional(_ key: String, _ shape: Shape = .natural) -> Shape.Member {
    .init(key: key, shape: shape, isRequired: false)
  }

  private static var who: [Shape.Member] {
    [
      required("operation", .oneOf(Operation.Kind.allCases.map(\.rawValue))), optional("pid"),
      optional("tid"), optional("comm", .text), optional("device", .text),
      optional("time_ns", .integer), optional("duration_ns"), optional("mr", .reference("mr")),
      optional("request", .reference("request")), optional("worker", .reference("task")),
      optional("lost"), optional("incomplete", .list(.text)), optional("kind_seen", .flag),
      // Where several recordings are exported together.
      optional("host", .text), optional("recording", .text),
    ]
  }

  private static var success: [Shape.Member] { [required("result", .integer)] }

  private static var failure: [Shape.Member] {
    [
      required("errno", .text),
      optional("delivered", .oneOf(["syscall", "completion", "discarded"])),
      required("chain", .list(.reference("link"))), required("cause", .text),
      required("confidence", .oneOf(["proved", "inferred", "unknown"])),
      optional("page", .reference("page")), optional("mapping", .reference("mapping")),
      optional("gap", .reference("gap")), required("summary", .text),
      required("advice", .list(.text)), required("references", .list(.text)),
      optional("recovered_by", .text), optional("followed_by", .text),
      optional("repeats_after_ns"),
      optional(
        "stack",
        .object([
          optional("kernel", .list(.reference("frame"))),
          optional("user", .list(.reference("frame"))),
        ])), optional("what_if", .list(.reference("what_if"))),
      optional("evidence", .reference("evidence")), optional("container_pid"),
      optional("cgroup", .text), optional("backing", .reference("backing")),
    ]
  }

  private static var mr: Shape {
    .object([
      optional("address", .hex), optional("length"), optional("iova", .hex),
      optional("access", .list(.text)),
    ])
  }

  private static var request: Shape {
    .object([
      optional("address", .hex), optional("length"), optional("lkey", .hex),
      optional("advice", .text), optional("flags", .list(.text)), optional("sges"),
    ])
  }

  private static var link: Shape {
    .object([
      required("function", .text), required("result", .text),
      required("seen", .oneOf(["direct", "replayed", "inferred"])),
    ])
  }

  private static var page: Shape {
    .object([
      required("address", .hex), optional("level", .text), optional("raw", .hex),
      optional("flags", .list(.text)), optional("neighbours", .list(.reference("neighbour"))),
    ])
  }

  private static var neighbour: Shape {
    .object([required("address", .hex), required("raw", .hex), required("flags", .list(.text))])
  }

  private static var mapping: Shape {
    .object([
      required("start", .hex), required("end", .hex), required("flags", .list(.text)),
      optional("file", .text), optional("offset"), optional("filesystem", .text),
      required("fsdax", .flag), optional("size"), optional("inode"), optional("device", .text),
      optional("block_device", .text), optional("path_cut", .flag), optional("anonymous", .flag),
      optional("hugetlb", .flag), optional("backing_file", .text),
      optional("backing_path_cut", .flag),
    ])
  }

  /// What stands behind the mapping.
  private static var backing: Shape {
    .object([
      optional(
        "writes",
        .object([
          required("page_mkwrite", .flag), required("pfn_mkwrite", .flag),
          required("writeback", .flag),
        ])), optional("blocks", .object([optional("max"), required("used")])),
      optional(
        "huge_pages",
        .object([
          required("size"), required("total"), required("free"), required("reserved"),
          required("surplus"), required("overcommit"),
        ])),
      optional("mount", .object([optional("max", .integer), required("used", .integer)])),
      optional("group", .reference("group")), optional("group_reserved", .reference("group")),
    ])
  }

  /// Of a control group, bytes.
  private static var group: Shape {
    .object([required("number"), required("usage"), optional("max")])
  }

  private static var gap: Shape {
    .object([required("address", .hex), optional("start", .hex), optional("end", .hex)])
  }

  private static var frame: Shape {
    .object([required("address", .hex), optional("name", .text)])
  }

  private static var whatIf: Shape {
    .object([
      required("kernels", .text), required("outcome", .oneOf(["accepts", "refuses", "faults"])),
      required("sentence", .text),
    ])
  }
}
