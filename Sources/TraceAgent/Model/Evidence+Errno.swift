// SPDX-License-Identifier: Apache-2.0

// The errno of what a function returned; nil where that is none.

extension LayerEvidence {
  package var errno: Errno? { Errno(result: result) }
}

extension RangeEvidence {
  package var errno: Errno? { Errno(result: result) }
}

extension WalkEvidence {
  package var errno: Errno? { Errno(result: result) }
}
