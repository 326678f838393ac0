// SPDX-License-Identifier: Apache-2.0

import Model

/// The diagnosis object of `report --json`: a contract with scripts. Keys may be added at the end,
/// never renamed.
package enum DiagnosisJSON {
  /// Where an object comes from, where several recordings are told together.
  package struct Origin: Equatable, Sendable {
    package var host: String
    package var recording: String
    package init(host: String, recording: String) {
      self.host = host
      self.recording = recording
    }
  }

  /// One failed operation, one line without its newline. `clockOffsetNs` is CLOCK_REALTIME -
  /// CLOCK_MONOTONIC; nil: `time_ns` is left out.
  package static func line(
    _ diagnosis: Diagnosis, clockOffsetNs: Int64?, origin: Origin? = nil
  ) -> String {
    let operation = diagnosis.operation
    var object = JSONObject()
    who(operation, clockOffsetNs, into: &object)
    object.add("mr", region(operation.mr))
    object.add("errno", diagnosis.errno.description)
    object.add("delivered", diagnosis.delivered?.rawValue)
    object.add("chain", .array(diagnosis.chain.map(link)))
    object.add("cause", diagnosis.cause)
    object.add("confidence", diagnosis.confidence.rawValue)
    object.add("page", diagnosis.page.map(page))
    if let mapping = diagnosis.mapping, mapping.found {
      object.add(
        "mapping",
        EvidenceJSON.mapping(
          mapping, fileOffset: diagnosis.fileOffset, of: diagnosis.kernel,
          backing: diagnosis.backing))
    }
    object.add("summary", diagnosis.summary)
    object.add("advice", .strings(diagnosis.advice))
    object.add("references", .strings(diagnosis.references))
    object.add("worker", operation.people.worker.map(task))
    object.add("recovered_by", operation.recoveredBy)
    object.add("followed_by", operation.followedBy)
    if let after = operation.repeatsAfterNs { object.add("repeats_after_ns", .unsigned(after)) }
    if let mapping = diagnosis.mapping, !mapping.found {
      object.add("gap", EvidenceJSON.gap(mapping))
    }
    object.add("request", request(operation))
    object.add("stack", stack(operation))
    if operation.lost > 0 { object.add("lost", number: operation.lost) }
    if !diagnosis.incomplete.isEmpty { object.add("incomplete", .strings(diagnosis.incomplete)) }
    if !diagnosis.whatIf.isEmpty { object.add("what_if", .array(diagnosis.whatIf.map(whatIf))) }
    if diagnosis.isUnknown {
      object.add("evidence", EvidenceJSON.all(operation, of: diagnosis.kernel))
    }
    add(origin, to: &object)
    object.add("container_pid", number: operation.owner?.containerPID)
    object.add("cgroup", operation.owner?.cgroupPath)
    object.add("backing", diagnosis.backing.flatMap(BackingJSON.object))
    addKindSeen(operation, to: &object)
    return JSON.object(object).line
  }

  /// One operation that did not fail, for `--all`: one line without its newline.
  package static func operationLine(
    _ operation: Operation, clockOffsetNs: Int64?, origin: Origin? = nil
  ) -> String {
    var object = JSONObject()
    who(operation, clockOffsetNs, into: &object)
    object.add("mr", region(operation.mr))
    object.add("request", request(operation))
    object.add("result", .signed(operation.result))
    object.add("worker", operation.people.worker.map(task))
    if operation.lost > 0 { object.add("lost", number: operation.lost) }
    if !operation.incomplete.isEmpty { object.add("incomplete", .strings(operation.incomplete)) }
    add(origin, to: &object)
    addKindSeen(operation, to: &object)
    return JSON.object(object).line
  }

  /// Where it was not seen what asked for it; else the field is absent.
  private static func addKindSeen(_ operation: Operation, to object: inout JSONObject) {
    if !operation.kindSeen { object.add("kind_seen", .bool(false)) }
  }

  private static func add(_ origin: Origin?, to object: inout JSONObject) {
    object.add("host", origin?.host)
    object.add("recording", origin?.recording)
  }

  private static func who(_ operation: Operation, _ offset: Int64?, into object: inout JSONObject) {
    let people = operation.people
    object.add("operation", operation.kind.rawValue)
    object.add("pid", number: people.pid)
    object.add("tid", number: people.tid)
    object.add("comm", people.comm)
    object.add("device", operation.device)
    if let offset {
      let time = WallClock.nanoseconds(
        monotonic: operation.startNs ?? operation.endNs, offset: offset)
      object.add("time_ns", time.map(JSON.signed))
    }
    object.add("duration_ns", number: operation.durationNs)
  }

  private static func task(_ task: Operation.Task) -> JSON {
    var object = JSONObject()
    object.add("pid", number: task.pid)
    object.add("tid", number: task.tid)
    object.add("comm", task.comm)
    return .object(object)
  }

  private static func region(_ mr: MemoryRegion) -> JSON? {
    var object = JSONObject()
    object.add("address", hex: mr.address)
    object.add("length", number: mr.length)
    object.add("iova", hex: mr.iova)
    object.add("access", mr.access.map { .strings(AccessFlags.names($0)) })
    return object.orNil
  }

  private static func link(_ link: Diagnosis.Link) -> JSON {
    var object = JSONObject()
    object.add("function", link.function)
    object.add("result", link.result.description)
    object.add("seen", link.seen.rawValue)
    return .object(object)
  }

  private static func page(_ page: Diagnosis.Page) -> JSON {
    var object = JSONObject()
    object.add("address", hex: page.address)
    object.add("level", page.level)
    object.add("raw", hex: page.raw)
    // Without an entry nothing is known of its flags.
    if page.raw != nil { object.add("flags", .strings(page.flags)) }
    if !page.neighbours.isEmpty {
      object.add("neighbours", .array(page.neighbours.map(neighbour)))
    }
    return .object(object)
  }

  private static func neighbour(_ neighbour: Diagnosis.Page.Neighbour) -> JSON {
    var object = JSONObject()
    object.add("address", hex: neighbour.address)
    object.add("raw", hex: neighbour.raw)
    object.add("flags", .strings(neighbour.flags))
    return .object(object)
  }

  private static func whatIf(_ whatIf: Diagnosis.WhatIf) -> JSON {
    var object = JSONObject()
    object.add("kernels", whatIf.generation)
    object.add("outcome", whatIf.outcome.rawValue)
    object.add("sentence", whatIf.sentence)
    return .object(object)
  }

  private static func request(_ operation: Operation) -> JSON? {
    var object = JSONObject()
    object.add("address", hex: operation.request?.start)
    object.add("length", number: operation.request?.length)
    object.add("lkey", hex: operation.lkey.map(UInt64.init))
    if let advice = operation.advice {
      object.add("advice", advice.adviceName ?? "\(advice.advice)")
      object.add("flags", .strings(advice.flagNames))
      object.add("sges", number: UInt64(advice.sgeCount))
    }
    return object.orNil
  }

  private static func stack(_ operation: Operation) -> JSON? {
    var object = JSONObject()
    if !operation.kernelStack.isEmpty {
      object.add("kernel", .array(operation.kernelStack.map(frame)))
    }
    if !operation.userStack.isEmpty {
      object.add("user", .array(operation.userStack.map(frame)))
    }
    return object.orNil
  }

  private static func frame(_ frame: StackFrame) -> JSON {
    var object = JSONObject()
    object.add("address", hex: frame.address)
    object.add("name", frame.name)
    return .object(object)
  }
}
