// SPDX-License-Identifier: Apache-2.0

/// Problems met while the events of a recording are read, from whichever stream.
final class ProblemLog {
  private(set) var problems: [RecordingProblem] = []

  func add(_ problem: RecordingProblem) { problems.append(problem) }
}
