// SPDX-License-Identifier: Apache-2.0

import Model

/// A function inside an operation whose return was recorded, whichever record that was.
struct Layer {
  /// The kind of record, and with it how deep the function is: verb and driver, umem, HMM, walk,
  /// fault.
  enum Kind: String {
    case layer, range, walk, fault
  }

  var kind: Kind
  var function: FunctionName
  /// CLOCK_MONOTONIC, of its return. When it was called is not recorded.
  var timeNs: UInt64
  /// nil of a page fault, which returns a code.
  var result: Int64?
  /// "-EFAULT", "VM_FAULT_SIGBUS".
  var resultText: String?
  /// The range it worked on, or the page that faulted.
  var start: UInt64?
  var end: UInt64?
  var rung: Rung?

  /// In order of their time; of the same time, the deepest first. None of an operation that repeats another, whose
  /// they are.
  static func all(of operation: Operation) -> [Layer] {
    guard operation.repeatsAfterNs == nil else { return [] }
    let layers =
      operation.faults.map(Layer.init) + operation.walks.map(Layer.init)
      + operation.ranges.map(Layer.init) + operation.layers.map(Layer.init)
    return layers.enumerated()
      .sorted { ($0.element.timeNs, $0.offset) < ($1.element.timeNs, $1.offset) }
      .map(\.element)
  }

  private init(_ layer: LayerEvidence) {
    kind = .layer
    function = layer.function
    timeNs = layer.timeNs
    rung = layer.rung
    setResult(layer.result)
  }

  private init(_ range: RangeEvidence) {
    kind = .range
    function = range.function
    timeNs = range.timeNs
    start = range.start
    end = range.end
    rung = range.rung
    setResult(range.result)
  }

  private init(_ walk: WalkEvidence) {
    kind = .walk
    function = walk.function
    timeNs = walk.timeNs
    start = walk.start
    end = walk.end
    rung = walk.rung
    setResult(walk.result)
  }

  private init(_ fault: FaultEvidence) {
    kind = .fault
    function = fault.witness
    timeNs = fault.timeNs
    start = fault.address
    resultText = VMFault.names(fault.result).joined(separator: "|")
  }

  private mutating func setResult(_ result: Int64) {
    self.result = result
    resultText = Errno(result: result).map { "-\($0)" }
  }
}
