// SPDX-License-Identifier: Apache-2.0

import Glibc
import Kernel
import Model
import Monitor

/// Settings that change while it runs.
extension MonitorSession {
  mutating func reload() {
    service.reloading(nowNs: Clock.monotonic())
    do throws(MonitorConfiguration.Problem) {
      let new = try reread()
      let old = settings
      for name in old.settledAtStart(differingIn: new) {
        journal.note("\(name) has changed in the configuration: that needs a restart", .warning)
      }
      settings = new
      // as it runs
      (settings.memory, settings.ringSize, settings.detail) = (old.memory, old.ringSize, old.detail)
      (settings.pinModules, settings.directory) = (old.pinModules, old.directory)
      settings.filter = old.filter
      let now = Clock.monotonic()
      journal.change(linesPerMinute: new.linesPerMinute, now: now)
      recordings?.change(settings, now: now)
      if old.listen != new.listen {
        do throws(AgentError) {
          try listen()
        } catch {
          settings.listen = nil
          journal.note(error.sentence, .error)
        }
      }
      if let path = old.textfile, path != new.textfile { _ = unlink(path) }
      textfileFailed = false
      writeTextfile(now: now)
      own.reloads &+= 1
      journal.note("the configuration has been read again")
    } catch {
      own.reloadsFailed &+= 1
      journal.note("the configuration stays as it was: \(error.sentence)", .error)
    }
    service.ready(status)
  }

  mutating func listen() throws(AgentError) {
    if let old = server?.descriptor { attached.loop.unwatch(old) }
    server = nil
    guard let address = settings.listen else { return }
    do throws(Errno) {
      let new = try MetricsServer(address: address)
      try? attached.loop.watch(new.descriptor)
      server = new
    } catch {
      throw .cannotServe(address: address, error)
    }
  }
}
