// SPDX-License-Identifier: Apache-2.0

import Model

/// What makes two failures the same to somebody who reads them all.
package struct FailureKind: Hashable, Sendable {
  package var operation: Operation.Kind
  package var cause: String
  package var errno: Errno
  /// The function that decided; empty where it is not known.
  package var function: String

  package init(_ diagnosis: Diagnosis) {
    operation = diagnosis.operation.kind
    cause = diagnosis.cause
    errno = diagnosis.errno
    function = diagnosis.chain.first?.function ?? ""
  }

  package init(operation: Operation.Kind, cause: String, errno: Errno, function: String) {
    self.operation = operation
    self.cause = cause
    self.errno = errno
    self.function = function
  }
}
