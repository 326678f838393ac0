// SPDX-License-Identifier: Apache-2.0

import Kernel
import Model
import Recording

/// Why `record` ended without a recording, or without all of it.
enum RecordFailure: Error {
  case kernel(KernelError)
  case recording(RecordingError)
  case commandNotFound(String)
  case commandNotRun(String, Errno)

  static func wrapping<Value: ~Copyable>(
    _ work: () throws(KernelError) -> Value
  ) throws(RecordFailure) -> Value {
    do throws(KernelError) { return try work() } catch { throw .kernel(error) }
  }

  var sentence: String {
    switch self {
    case .kernel(let error): return error.sentence
    case .recording(let error): return error.sentence
    case .commandNotFound(let name):
      return "\(name): command not found"
    case .commandNotRun(let name, let errno):
      return "\(name) cannot be run: \(errno)"
    }
  }
}
