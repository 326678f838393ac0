// SPDX-License-Identifier: Apache-2.0

import CEvents

/// `struct mrt_backing`: what stands behind a mapping, at the instant of a failure.
package struct BackingRecord: Sendable {
  package var header: mrt_header
  package var facts: mrt_backing_facts
  /// As ``MappingRecord/path``, of the file that a stacked file system reads.
  package var path: [UInt8]

  package init(header: mrt_header, facts: mrt_backing_facts, path: [UInt8] = []) {
    self.header = header
    self.facts = facts
    self.path = path
  }

  package var filePath: (text: String, isCut: Bool) {
    RecordedPath.text(path, isCut: facts.flags & MRT_BACKING_PATH_CUT != 0)
  }
}

extension BackingRecord: TailedRecord {
  init(_ record: RawSpan, header: mrt_header, count: Int) {
    self.init(
      header: header, facts: record.load(\mrt_backing.facts),
      path: record.bytes(count, at: \mrt_backing.path))
  }

  var bytes: RecordBytes {
    let path = path.prefix(Int(MRT_PATH_MAX))
    var bytes = RecordBytes(header, before: \mrt_backing.path)
    bytes.set(\mrt_backing.facts, facts)
    bytes.set(\mrt_backing.path_size, UInt32(path.count))
    bytes.append(path)
    return bytes
  }
}
