// SPDX-License-Identifier: Apache-2.0

/// What libbpf said of a kernel that refuses.
extension ProgramGroup {
  /// "libbpf: prog 'fexit__hmm_range_fault': failed to load: -22" names the program.
  static func refusedSymbol(in log: String) -> String? {
    for line in log.split(separator: "\n").reversed() where line.contains("prog '") {
      guard let open = line.firstIndex(of: "'") else { continue }
      let rest = line[line.index(after: open)...]
      guard let close = rest.firstIndex(of: "'") else { continue }
      let name = rest[..<close]
      for prefix in ProgramPart.allCases.map(\.prefix)
      where name.hasPrefix(prefix) {
        return String(name.dropFirst(prefix.count))
      }
    }
    return nil
  }

  /// "unknown func bpf_probe_read_kernel#113", or "program of this type cannot use helper bpf_probe_read_kernel#113".
  static func isHelperWithheld(_ log: String) -> Bool {
    log.split(separator: "\n").contains {
      $0.contains("bpf_probe_read_kernel#")
        && ($0.contains("unknown func") || $0.contains("cannot use helper"))
    }
  }

  /// The last line that is not an echo of the failure itself.
  static func lastWords(of log: String) -> String {
    let lines = log.split(separator: "\n").map {
      $0.hasPrefix("libbpf: ") ? String($0.dropFirst(8)) : String($0)
    }
    return lines.last {
      !$0.hasPrefix("failed to load object") && !$0.hasPrefix("processed ") && !$0.hasPrefix("-- ")
    } ?? ""
  }
}
