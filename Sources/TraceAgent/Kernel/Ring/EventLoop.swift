// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model

/// One thread's wait for the ring buffer, for signals, and for the clock.
package struct EventLoop: ~Copyable {
  /// What woke it, besides the ring buffer and the clock.
  package struct Wake: Equatable, Sendable {
    /// SIGINT, SIGTERM or SIGHUP: the last one.
    package var stop: CInt?
    /// SIGCHLD.
    package var child = false
    /// SIGUSR1: what waits is to be written.
    package var write = false
  }

  private let epoll: CInt
  private let signals: CInt
  private let timer: CInt

  /// Watches the ring buffer's map `ring`, and wakes every `tickMs` without work.
  package init(ring: CInt, tickMs: Int) throws(KernelError) {
    var mask = EventLoop.signalMask()
    // before any thread or child: a signal must not be delivered in the old way
    guard sigprocmask(SIG_BLOCK, &mask, nil) == 0 else { throw EventLoop.failure("sigprocmask") }
    _ = signal(SIGPIPE, SIG_IGN)
    // EPOLL_CLOEXEC, SFD_… and TFD_… are defined as the O_… flags
    let epoll = epoll_create1(CInt(O_CLOEXEC))
    let signals = signalfd(-1, &mask, CInt(O_CLOEXEC | O_NONBLOCK))
    let timer = timerfd_create(CLOCK_MONOTONIC, CInt(O_CLOEXEC | O_NONBLOCK))
    guard epoll >= 0, signals >= 0, timer >= 0 else { throw EventLoop.failure("epoll_create") }
    var interval = itimerspec()
    interval.it_interval.tv_sec = tickMs / 1000
    interval.it_interval.tv_nsec = tickMs % 1000 * 1_000_000
    interval.it_value = interval.it_interval
    guard timerfd_settime(timer, 0, &interval, nil) == 0 else {
      throw EventLoop.failure("timerfd_settime")
    }
    for descriptor in [ring, signals, timer] where descriptor >= 0 {
      var event = epoll_event()
      event.events = EPOLLIN.rawValue
      event.data.fd = descriptor
      guard epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
        throw EventLoop.failure("epoll_ctl")
      }
    }
    self.epoll = epoll
    self.signals = signals
    self.timer = timer
  }

  /// Wakes for `descriptor` too; what it has is the caller's to read.
  package func watch(_ descriptor: CInt) throws(KernelError) {
    var event = epoll_event()
    event.events = EPOLLIN.rawValue
    event.data.fd = descriptor
    guard epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
      throw EventLoop.failure("epoll_ctl")
    }
  }

  package func unwatch(_ descriptor: CInt) {
    var event = epoll_event()
    _ = epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &event)
  }

  deinit {
    close(epoll)
    close(signals)
    close(timer)
  }

  /// Blocks until something is to be done.
  package func wait() -> Wake {
    var events = [epoll_event](repeating: epoll_event(), count: 4)
    let count = epoll_wait(epoll, &events, CInt(events.count), -1)
    var wake = Wake()
    guard count > 0 else { return wake }
    for event in events[..<Int(count)] {
      if event.data.fd == timer {
        var expirations: UInt64 = 0
        _ = read(timer, &expirations, MemoryLayout<UInt64>.size)
      } else if event.data.fd == signals {
        var info = signalfd_siginfo()
        while read(signals, &info, MemoryLayout<signalfd_siginfo>.size) > 0 {
          switch CInt(bitPattern: info.ssi_signo) {
          case SIGCHLD: wake.child = true
          case SIGUSR1: wake.write = true
          // A reload must not hide an end.
          case SIGHUP where wake.stop != nil: break
          case let number: wake.stop = number
          }
        }
      }
    }
    return wake
  }

  private static func signalMask() -> sigset_t {
    var mask = sigset_t()
    sigemptyset(&mask)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGUSR1] { sigaddset(&mask, number) }
    return mask
  }

  private static func failure(_ call: String) -> KernelError {
    .system(call: call, errno: Errno(rawValue: errno))
  }
}
