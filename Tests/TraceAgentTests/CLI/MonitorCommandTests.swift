// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import mrtrace

/// Options over the file.
@Suite struct MonitorCommandTests {
  @Test func filtersOfTheOptionsReplaceThoseOfTheFile() throws {
    let scratch = try ScratchDirectory()
    let path = "\(scratch.path)/monitor.conf"
    let file = try #require(fopen(path, "w"))
    fputs("comm = server\ncomm = other\nerrno = EFAULT\nkeep = 3\n", file)
    fclose(file)
    let settings = try MonitorCommand.parse([
      "--config", path, "--comm", "client", "--comm", "second", "--device", "rxe0", "--keep", "4",
    ]).settings()
    #expect(settings.filter.words == ["comm client, second", "device rxe0", "errno EFAULT"])
    #expect(settings.keep == 4)
    #expect(try MonitorCommand.parse(["--config", path]).settings().filter.comms.count == 2)
  }
}
