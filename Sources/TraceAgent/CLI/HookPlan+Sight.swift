// SPDX-License-Identifier: Apache-2.0

import Kernel
import Model

extension HookPlan {
  /// A run that would see nothing does not begin: what it ended with would be taken for an answer.
  func checkSight() throws(KernelError) {
    let sight = sight(of: [])
    if sight.seesNothing { throw .blind(sight.refusal) }
  }
}
