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
}
