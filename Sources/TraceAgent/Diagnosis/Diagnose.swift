// SPDX-License-Identifier: Apache-2.0

import Model

/// Why `operation` failed on a kernel with these traits; nil when it did not fail.
///
/// A cause is named only with its evidence. Where records may be missing nothing counts as proved, since
/// what is missing could contradict it. `watched` are the functions whose failure would have been
/// recorded (nil: not known), so that what is not there can be evidence too. `missed` are those of
/// which the kernel skipped runs while the operation ran: that they are not there is none, and where
/// one of them has its place in the chain the operation is incomplete; so it is where it may be the
/// beginning of one call and the end of another. Evidence that cannot be of this operation is left
/// out (``Fit``): the diagnosis has the operation without it. `sight`: why functions are not
/// watched, for the advice.
package func diagnose(
  _ operation: Operation, traits: KernelTraits, watched: Set<FunctionName>? = nil,
  missed: MissedRuns = [], sight: Sight? = nil, causes: [Cause] = Cause.all
) -> Diagnosis? {
  guard operation.failed else { return nil }
  let fit = Fit(operation, missed: missed)
  let operation = fit.operation
  let number = Int32(clamping: operation.result.magnitude)
  let errno = Errno(result: operation.result) ?? Errno(rawValue: number)
  let missed = PossibleMisses.of(operation, missed: missed, watched: watched)
  let failure = Failure(
    operation, traits: traits, errno: errno, watched: watched, missed: missed,
    isDoubtful: fit.isDoubtful)

  // Where records are missing as well, nothing tells which of two calls the rest is of.
  let mayBeTwo = fit.missesRoot && !operation.isComplete
  // by index: of a copy of each cause every text would be counted
  var best: (cause: Cause, finding: Finding)?
  for index in causes.indices where !mayBeTwo {
    guard let finding = causes[index].find(failure) else { continue }
    if best == nil || finding.confidence == .proved { best = (causes[index], finding) }
    if finding.confidence == .proved { break }
  }

  var diagnosis = Diagnosis(
    operation: operation, errno: errno,
    delivered: operation.kindSeen ? operation.kind.delivered : nil)
  diagnosis.kernel = KernelRelease(traits.release)
  diagnosis.chain = failure.chain(best?.finding)
  diagnosis.incomplete = operation.incomplete + fit.reasons + failure.holes
  if let page = best?.finding.page ?? (best == nil ? failure.stoppedAt : nil) {
    diagnosis.page = failure.page(at: page)
    diagnosis.mapping = failure.mapping(at: page)
    diagnosis.fileOffset = failure.fileOffset(of: page)
    diagnosis.backing = diagnosis.mapping.flatMap(failure.backing)
  }
  let subject = "\(operation.subject) failed with \(errno)"
  guard let best else {
    diagnosis.summary = "\(subject)\(failure.whatIsKnown)"
    diagnosis.advice = UnknownAdvice(failure, sight: sight).lines
    return diagnosis
  }
  diagnosis.cause = best.cause.name
  diagnosis.confidence = diagnosis.incomplete.isEmpty ? best.finding.confidence : .inferred
  diagnosis.summary = "\(subject): \(best.finding.because)"
  diagnosis.advice = best.finding.advice ?? best.cause.advice
  diagnosis.references = best.cause.references
  diagnosis.whatIf = best.finding.rejected.map(computeWhatIf) ?? []
  return diagnosis
}

extension Failure {
  /// The rest of the sentence where no cause is proved: deepest function, page, state.
  fileprivate var whatIsKnown: String {
    var text = ""
    if let deepest = chain(nil).first { text += " in \(deepest.function)()" }
    if let page = stoppedAt {
      text += ": \(place(page)), \(state(tables.lowest(at: page)))"
    }
    return text + "; the evidence proves no cause"
      + (operation.lost > 0 ? " (\(count(UInt64(clamping: operation.lost), "record")) lost)" : "")
      + (operation.beganBeforeRecording ? " (it began before the recording)" : "")
  }
}
