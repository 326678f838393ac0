// SPDX-License-Identifier: Apache-2.0

import Model

extension RecordingEnvironment {
  /// Functions that were watched from the start: where one of them failed, the recording has it.
  /// Hooks of modules that were loaded later are left out: what came before is not seen.
  package var watchedFunctions: Set<FunctionName> {
    Set(hookPlan.filter { $0.rung?.isAttached == true }.map(\.symbol))
  }
}
