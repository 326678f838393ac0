// SPDX-License-Identifier: Apache-2.0

/// A Linux errno, by number and by the field's name for it.
package struct Errno: RawRepresentable, Error, Hashable, Sendable,
  CustomStringConvertible
{
  /// Positive.
  package var rawValue: Int32
  package init(rawValue: Int32) { self.rawValue = rawValue }

  /// The errno in a kernel result (negative), or nil when it is none.
  package init?(result: Int64) {
    guard result < 0, result >= -4095 else { return nil }
    self.init(rawValue: Int32(-result))
  }

  package static let perm = Errno(rawValue: 1)
  package static let noent = Errno(rawValue: 2)
  package static let intr = Errno(rawValue: 4)
  package static let io = Errno(rawValue: 5)
  package static let again = Errno(rawValue: 11)
  package static let nomem = Errno(rawValue: 12)
  package static let fault = Errno(rawValue: 14)
  package static let busy = Errno(rawValue: 16)
  package static let exist = Errno(rawValue: 17)
  package static let inval = Errno(rawValue: 22)
  package static let nospc = Errno(rawValue: 28)
  package static let nolck = Errno(rawValue: 37)
  package static let overflow = Errno(rawValue: 75)
  package static let opnotsupp = Errno(rawValue: 95)
  package static let remoteio = Errno(rawValue: 121)
  package static let dquot = Errno(rawValue: 122)
  package static let hwpoison = Errno(rawValue: 133)

  /// "EFAULT"; "errno 999" for one without a name here.
  package var description: String { Errno.names[rawValue] ?? "errno \(rawValue)" }

  /// "EFAULT"; also "EWOULDBLOCK" and "ENOTSUPP", which have another's number or none of their own in libc.
  package init?(name: String) {
    if name == "EWOULDBLOCK" { self = .again; return }
    guard let known = Errno.names.first(where: { $0.value == name }) else { return nil }
    self.init(rawValue: known.key)
  }

  /// All names, in the order of their numbers.
  package static var allNames: [String] { names.sorted { $0.key < $1.key }.map(\.value) }

  private static let names: [Int32: String] = [
    1: "EPERM", 2: "ENOENT", 3: "ESRCH", 4: "EINTR", 5: "EIO", 6: "ENXIO", 7: "E2BIG", 8: "ENOEXEC",
    9: "EBADF", 10: "ECHILD", 11: "EAGAIN", 12: "ENOMEM", 13: "EACCES", 14: "EFAULT", 15: "ENOTBLK",
    16: "EBUSY", 17: "EEXIST", 18: "EXDEV", 19: "ENODEV", 20: "ENOTDIR", 21: "EISDIR", 22: "EINVAL",
    23: "ENFILE", 24: "EMFILE", 25: "ENOTTY", 26: "ETXTBSY", 27: "EFBIG", 28: "ENOSPC",
    29: "ESPIPE",
    30: "EROFS", 31: "EMLINK", 32: "EPIPE", 33: "EDOM", 34: "ERANGE", 35: "EDEADLK",
    36: "ENAMETOOLONG", 37: "ENOLCK",
    38: "ENOSYS", 39: "ENOTEMPTY", 40: "ELOOP", 61: "ENODATA", 62: "ETIME", 71: "EPROTO",
    74: "EBADMSG",
    75: "EOVERFLOW", 84: "EILSEQ", 90: "EMSGSIZE", 95: "EOPNOTSUPP", 99: "EADDRNOTAVAIL",
    101: "ENETUNREACH", 104: "ECONNRESET", 105: "ENOBUFS", 110: "ETIMEDOUT", 111: "ECONNREFUSED",
    114: "EALREADY", 115: "EINPROGRESS", 116: "ESTALE", 121: "EREMOTEIO", 122: "EDQUOT",
    125: "ECANCELED", 133: "EHWPOISON", 512: "ERESTARTSYS", 524: "ENOTSUPP",
  ]
}
