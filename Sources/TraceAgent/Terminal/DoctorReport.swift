// SPDX-License-Identifier: Apache-2.0

import Model

/// What `doctor` found: filled by the kernel layer, shown by ``DoctorText`` and ``DoctorJSON``.
package struct DoctorReport: Equatable, Sendable {
  package enum Status: String, Sendable { case ok, warn, fail, info }

  /// One thing looked at.
  package struct Check: Equatable, Sendable {
    package var name: String
    /// For scripts: never changes.
    package var id: String {
      String(name.lowercased().map { $0 == " " ? "-" : $0 })
    }
    package var status: Status
    /// What was found, one sentence.
    package var detail: String
    /// The command that mends it.
    package var fix: String?
    package init(name: String, status: Status, detail: String, fix: String? = nil) {
      self.name = name
      self.status = status
      self.detail = detail
      self.fix = fix
    }
  }

  /// One row of the hook plan.
  package struct Hook: Equatable, Sendable {
    /// The function by its name in the kernel's source.
    package var hook: String
    /// What it is watched for.
    package var purpose: String
    /// What is attached to, e.g. a clone's symbol; nil where there is none.
    package var symbol: String?
    /// nil: in the kernel itself.
    package var module: String?
    /// How it is, or would be, attached.
    package var rung: Rung
    /// Why, in words.
    package var note: String
    /// This kernel has it, or may, and it is not watched.
    package var isMissing: Bool
    package init(
      hook: String, purpose: String, symbol: String?, module: String?, rung: Rung,
      note: String = "", isMissing: Bool = false
    ) {
      self.hook = hook
      self.purpose = purpose
      self.symbol = symbol
      self.module = module
      self.rung = rung
      self.note = note
      self.isMissing = isMissing
    }
  }

  package enum Answer: String, Sendable { case yes, no, unknown }

  /// One RDMA device.
  package struct Device: Equatable, Sendable {
    package var name: String
    package var driver: String?
    package var odp: Answer
    package var detail: String
    /// An MR may cover the whole address space; nil: not known.
    package var implicitODP: Bool?
    /// What may page fault.
    package var transports: [Transport]
    package init(
      name: String, driver: String?, odp: Answer, detail: String = "", implicitODP: Bool? = nil,
      transports: [Transport] = []
    ) {
      self.name = name
      self.driver = driver
      self.odp = odp
      self.detail = detail
      self.implicitODP = implicitODP
      self.transports = transports
    }

    package struct Transport: Equatable, Sendable {
      package var name: String
      package var operations: [String]
      package init(name: String, operations: [String]) {
        self.name = name
        self.operations = operations
      }
    }
  }

  /// One mounted file system on persistent memory.
  package struct Mount: Equatable, Sendable {
    package var device: String
    package var mountPoint: String
    package var filesystem: String
    package var dax: Answer
    /// The mount option that says so, e.g. "dax=always".
    package var option: String
    /// What its files show, and what keeps it from DAX.
    package var detail: String
    package init(
      device: String, mountPoint: String, filesystem: String, dax: Answer, option: String,
      detail: String = ""
    ) {
      self.device = device
      self.mountPoint = mountPoint
      self.filesystem = filesystem
      self.dax = dax
      self.option = option
      self.detail = detail
    }
  }

  /// `uname -r` and `uname -m`.
  package var release: String
  package var machine: String
  /// Can `record` work here: `ok` yes, `warn` with gaps, `fail` no.
  package var status: Status
  /// The same as one sentence.
  package var verdict: String
  package var checks: [Check]
  package var hooks: [Hook]
  package var devices: [Device]
  package var mounts: [Mount]

  package init(
    release: String, machine: String, status: Status, verdict: String, checks: [Check] = [],
    hooks: [Hook] = [], devices: [Device] = [], mounts: [Mount] = []
  ) {
    self.release = release
    self.machine = machine
    self.status = status
    self.verdict = verdict
    self.checks = checks
    self.hooks = hooks
    self.devices = devices
    self.mounts = mounts
  }
}
