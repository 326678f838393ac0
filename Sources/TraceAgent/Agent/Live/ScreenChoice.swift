// SPDX-License-Identifier: Apache-2.0

/// Whether there is a screen: where the terminal is fit for one, also without colour, or never.
package enum ScreenChoice: String, CaseIterable, Sendable { case auto, always, never }
