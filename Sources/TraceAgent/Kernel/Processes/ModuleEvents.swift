// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model

/// The kernel's announcements of modules that come and go: to look at once, rather than at the next tick.
package final class ModuleEvents {
  package let descriptor: CInt

  package init() throws(KernelError) {
    let socket = cuevents_open()
    guard socket >= 0 else {
      throw .system(call: "socket (NETLINK_KOBJECT_UEVENT)", errno: Errno(rawValue: -socket))
    }
    descriptor = socket
  }

  deinit { close(descriptor) }

  /// A module came or went since the last call, or that is not known for sure.
  package func changed() -> Bool { cuevents_take(descriptor) != 0 }
}
