// SPDX-License-Identifier: Apache-2.0

import Monitor
import Testing

@Suite struct MonitorConfigurationTests {
  private func read(_ text: String) throws -> MonitorConfiguration {
    try MonitorConfiguration().reading(text, of: "conf")
  }

  private func problem(_ text: String) -> String? {
    do {
      try read(text).check()
      return nil
    } catch let problem as MonitorConfiguration.Problem {
      return problem.sentence
    } catch {
      return "\(error)"
    }
  }

  @Test func readsEveryKey() throws {
    let settings = try read(
      """
      # a comment
      directory = /srv/rec
        textfile=/run/m.prom
      listen = [::1]:9750
      allow-remote = no
      interval = 1m
      again = 7d
      recordings-per-hour = 3
      keep = 9
      max-total = 64M
      lines-per-minute = 5
      memory = 512K
      ring-size = 64K
      detail = operations
      pin-modules = yes
      comm = server
      comm = a client
      cgroup = /system.slice/server.service
      device = mlx5_0
      device = rxe0
      errno = EFAULT,eperm
      errno = 12

      """)
    #expect(settings.directory == "/srv/rec")
    #expect(settings.textfile == "/run/m.prom")
    #expect(settings.listen == "[::1]:9750")
    #expect(settings.intervalNs == 60_000_000_000)
    #expect(settings.againNs == 7 * 86400 * 1_000_000_000)
    #expect(settings.recordingsPerHour == 3)
    #expect(settings.keep == 9)
    #expect(settings.maxTotal == 64 << 20)
    #expect(settings.linesPerMinute == 5)
    #expect(settings.memory == 512 << 10)
    #expect(settings.ringSize == 64 << 10)
    #expect(settings.detail == .operations)
    #expect(settings.pinModules)
    #expect(settings.filter.comms == ["server", "a client"])
    #expect(settings.filter.cgroups == ["/system.slice/server.service"])
    #expect(settings.filter.devices == ["mlx5_0", "rxe0"])
    #expect(settings.filter.errnos == [.fault, .perm, .nomem])
    #expect(try read("directory = none").directory == nil)
    try settings.check()
  }

  @Test(arguments: [
    ("no-such = 1", "line 1: there is no setting \"no-such\""), ("keep", "\"key = value\""),
    ("keep = 1\nkeep = 2", "line 2: keep is set twice"), ("keep = 0", "from 1 to"),
    ("keep =", "has no value"), ("ring-size = 3K", "power of two"), ("again = soon", "a time"),
    ("again = 999999999999d", "a time"), ("max-total = 99999999999G", "a size"),
    ("listen = localhost:1", "numeric"), ("listen = 127.0.0.1", "numeric"),
    ("listen = 0.0.0.0:9750", "allow-remote"), ("listen = 10.0.0.1:9750", "allow-remote"),
    ("textfile = m.prom", "begins with /"), ("memory = 2G\nmax-total = 1G", "at least memory"),
    ("comm = sixteen_letters_", "the kernel keeps 15 bytes of a name: sixteen_letters"),
    ("errno = EFAULT\nerrno = EFALT", "line 2: errno = EFALT: there is no errno 'EFALT'"),
    ("cgroup =", "has no value"),
    ("device = \(String(repeating: "x", count: 64))", "no RDMA device"),
  ])
  func tellsWhatIsWrong(_ text: String, _ wanted: String) {
    #expect(problem(text)?.contains(wanted) == true, "\(problem(text) ?? "nothing")")
  }

  @Test func addressesBeyondLoopbackAreTakenWhenToldSo() {
    #expect(problem("listen = 0.0.0.0:9750\nallow-remote = yes") == nil)
    #expect(problem("listen = 127.8.9.1:9750") == nil)
  }

  @Test func whatNeedsARestartIsNamed() throws {
    let new = try read("memory = 1M\nkeep = 3\ndetail = operations\ncomm = server\nerrno = EFAULT")
    #expect(
      MonitorConfiguration().settledAtStart(differingIn: new)
        == ["memory", "detail", "comm", "errno"])
  }
}
