// SPDX-License-Identifier: Apache-2.0

import Kernel

/// What `live` is to do.
package struct LiveSettings: Sendable {
  /// Seconds between two looks.
  package var interval = 1.0
  /// Seconds.
  package var duration: Double?
  /// JSON lines.
  package var isJSON = false
  package var screen = ScreenChoice.auto

  package init() {}
}
