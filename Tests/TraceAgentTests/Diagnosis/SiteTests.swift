// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Testing

@Suite struct SiteTests {
  @Test func idsAreUnique() {
    #expect(Set(Site.all.map(\.id)).count == Site.all.count)
  }

  /// A cause names only checks that Site+*.swift describes.
  @Test(arguments: Cause.all.map(\.name))
  func everySiteHasARow(_ name: String) throws {
    let cause = try #require(Cause.named(name))
    #expect(cause.siteRows.map(\.id) == cause.sites)
    #expect(!cause.stages().isEmpty)
  }

  /// One of a cause's checks gives each of its errnos, so that `explain ERRNO` can say where.
  @Test(arguments: Cause.all.map(\.name))
  func everyErrnoHasASite(_ name: String) throws {
    let cause = try #require(Cause.named(name))
    for errno in cause.errnos {
      #expect(!cause.stages(errno: errno).isEmpty, "\(errno)")
    }
  }
}
