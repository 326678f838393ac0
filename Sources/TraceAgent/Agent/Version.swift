// SPDX-License-Identifier: Apache-2.0

/// The version of mrtrace, which recordings carry.
package enum Version {
  package static let current = "0.1.0"
}
