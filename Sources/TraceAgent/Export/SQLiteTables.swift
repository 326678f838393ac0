// SPDX-License-Identifier: Apache-2.0

/// The tables of the SQLite export. Columns may be added at the end, never renamed.
///
/// Addresses and entries are integers with the bits as they are; `printf('0x%x', …)` shows them.
enum SQLiteTables {
  /// What was exported together, one or more. Each row of the others is of one of them, by itself
  /// or by its operation.
  static let recordings = SQLiteTable(
    name: "recordings",
    columns: [
      "id INTEGER PRIMARY KEY", "name TEXT NOT NULL UNIQUE", "host TEXT NOT NULL",
      "kernel_release TEXT NOT NULL", "start_ns INTEGER NOT NULL",
      "clock_offset_ns INTEGER NOT NULL",
    ])

  private static let recordingID = "recording_id INTEGER NOT NULL REFERENCES recordings (id)"

  static let recording = SQLiteTable(
    name: "recording",
    columns: ["key TEXT NOT NULL", "value", recordingID, "PRIMARY KEY (recording_id, key)"])

  static let hooks = SQLiteTable(
    name: "hooks",
    columns: [
      "hook INTEGER", "symbol TEXT", "module TEXT", "rung TEXT", "note TEXT", recordingID,
    ])

  static let operations = SQLiteTable(
    name: "operations",
    columns: [
      "id INTEGER PRIMARY KEY", "time_ns INTEGER", "start_monotonic_ns INTEGER",
      "end_monotonic_ns INTEGER NOT NULL", "duration_ns INTEGER", "operation TEXT NOT NULL",
      "pid INTEGER", "comm TEXT", "tid INTEGER NOT NULL", "runner_pid INTEGER NOT NULL",
      "runner_comm TEXT NOT NULL", "device TEXT", "result INTEGER NOT NULL",
      "failed INTEGER NOT NULL", "mr_address INTEGER", "mr_length INTEGER", "mr_iova INTEGER",
      "mr_access TEXT", "request_address INTEGER", "request_length INTEGER", "lkey INTEGER",
      "advice INTEGER", "lost INTEGER NOT NULL", "incomplete TEXT", recordingID,
      "kind_seen INTEGER NOT NULL",
    ], indexed: ["time_ns", "pid", "tid", "duration_ns"])

  static let failures = SQLiteTable(
    name: "failures",
    columns: [
      "operation_id INTEGER PRIMARY KEY REFERENCES operations (id)", "errno TEXT NOT NULL",
      "function TEXT", "address INTEGER", "cause TEXT NOT NULL", "confidence TEXT NOT NULL",
      "delivered TEXT", "recovered_by TEXT", "file TEXT", "file_offset INTEGER",
      "summary TEXT NOT NULL", "container_pid INTEGER", "cgroup TEXT",
      "repeats_after_ns INTEGER", "followed_by TEXT",
    ], indexed: ["cause", "errno", "file"])

  /// The functions of a failure, from the deepest (position 0) outward.
  static let chain = SQLiteTable(
    name: "chain",
    columns: [
      "operation_id INTEGER NOT NULL REFERENCES operations (id)", "position INTEGER NOT NULL",
      "function TEXT NOT NULL", "result TEXT NOT NULL", "seen TEXT NOT NULL",
    ], indexed: ["operation_id"])

  /// The failing page of each failure that has one, and its neighbours.
  static let pages = SQLiteTable(
    name: "pages",
    columns: [
      "operation_id INTEGER NOT NULL REFERENCES operations (id)", "address INTEGER NOT NULL",
      "level TEXT", "raw INTEGER", "flags TEXT", "failing INTEGER NOT NULL",
    ], indexed: ["operation_id", "address"])

  /// Every mapping that was read for a failure; `failing`: it is the failing page's.
  static let mappings = SQLiteTable(
    name: "mappings",
    columns: [
      "operation_id INTEGER NOT NULL REFERENCES operations (id)", "address INTEGER NOT NULL",
      "found INTEGER NOT NULL", "start INTEGER", "\"end\" INTEGER", "vm_flags INTEGER",
      "flags TEXT", "previous_end INTEGER", "next_start INTEGER", "anonymous INTEGER",
      "fsdax INTEGER", "hugetlb INTEGER", "file TEXT", "file_size INTEGER", "inode INTEGER",
      "filesystem TEXT", "block_device TEXT", "failing INTEGER NOT NULL",
      "backing_file TEXT",
    ], indexed: ["operation_id", "file"])

  /// What each function of a failure returned, as it was recorded.
  static let layers = SQLiteTable(
    name: "layers",
    columns: [
      "operation_id INTEGER NOT NULL REFERENCES operations (id)", "monotonic_ns INTEGER NOT NULL",
      "kind TEXT NOT NULL", "function TEXT NOT NULL", "result INTEGER", "errno TEXT",
      "start INTEGER", "\"end\" INTEGER", "rung TEXT",
    ], indexed: ["operation_id"])

  /// Flags of the pages that HMM walked, against the outcome.
  static let statistics = SQLiteTable(
    name: "statistics",
    columns: [
      "level TEXT NOT NULL", "bits INTEGER NOT NULL", "flags TEXT", "outcome TEXT NOT NULL",
      "pages INTEGER NOT NULL", "weight INTEGER NOT NULL", recordingID,
    ])

  /// What became of each hook's calls and records. NULL: of a recording older than format 1.2.
  static let loss = SQLiteTable(
    name: "loss",
    columns: [
      "hook INTEGER NOT NULL", "function TEXT NOT NULL", "rung TEXT NOT NULL",
      "calls INTEGER NOT NULL", "reported INTEGER", "cut INTEGER", "aggregated INTEGER",
      "filtered INTEGER NOT NULL", "unstarted INTEGER", "missed INTEGER NOT NULL",
      "missed_returns INTEGER", "missed_entries INTEGER", "running INTEGER",
      "failed INTEGER NOT NULL", "untracked INTEGER NOT NULL", "recorded INTEGER NOT NULL",
      "lost INTEGER NOT NULL", "received INTEGER", "written INTEGER", recordingID,
    ])

  /// What of the recording cannot be read.
  static let problems = SQLiteTable(
    name: "problems", columns: ["sentence TEXT NOT NULL", recordingID])

  static let all = [
    recordings, recording, hooks, operations, failures, chain, pages, mappings, layers, statistics,
    loss,
    problems,
  ]

  /// The usual questions.
  static let views = """
    CREATE VIEW failures_by_cause AS
      SELECT cause, count(*) AS failures, count(recovered_by) AS mended,
        group_concat(DISTINCT errno) AS errnos, group_concat(DISTINCT operation) AS operations,
        group_concat(DISTINCT confidence) AS confidences, min(time_ns) AS first_ns,
        max(time_ns) AS last_ns, group_concat(DISTINCT host) AS hosts
      FROM failures JOIN operations ON operations.id = operation_id
        JOIN recordings ON recordings.id = recording_id
      GROUP BY cause ORDER BY failures DESC;
    CREATE VIEW failures_by_file AS
      SELECT file, count(*) AS failures, group_concat(DISTINCT cause) AS causes,
        min(file_offset) AS first_offset, max(file_offset) AS last_offset, host
      FROM failures JOIN operations ON operations.id = operation_id
        JOIN recordings ON recordings.id = recording_id
      GROUP BY host, file ORDER BY failures DESC;
    CREATE VIEW failures_by_process AS
      SELECT pid, comm, count(*) AS operations, sum(failed) AS failures,
        count(recovered_by) AS mended, group_concat(DISTINCT cause) AS causes, host
      FROM operations LEFT JOIN failures ON operation_id = operations.id
        JOIN recordings ON recordings.id = recording_id
      GROUP BY recording_id, pid, comm ORDER BY failures DESC;
    CREATE VIEW slowest_operations AS
      SELECT operations.id AS id, duration_ns, operation, pid, comm, tid, result, errno, cause,
        printf('0x%x', mr_address) AS mr_address, mr_length, host
      FROM operations LEFT JOIN failures ON operation_id = operations.id
        JOIN recordings ON recordings.id = recording_id
      WHERE duration_ns IS NOT NULL ORDER BY duration_ns DESC;
    CREATE VIEW failing_pages AS
      SELECT operation_id, printf('0x%x', pages.address) AS address, level,
        CASE WHEN raw IS NULL THEN NULL ELSE printf('0x%x', raw) END AS raw, flags, errno, function,
        cause, file, file_offset, host
      FROM pages JOIN failures USING (operation_id)
        JOIN operations ON operations.id = operation_id
        JOIN recordings ON recordings.id = recording_id
      WHERE failing;
    CREATE VIEW flags_against_outcomes AS
      SELECT level, flags,
        sum(CASE outcome WHEN 'accepted' THEN pages * weight ELSE 0 END) AS accepted,
        sum(CASE outcome WHEN 'in_failed_walk' THEN pages * weight ELSE 0 END) AS in_failed_walk,
        (SELECT count(*) FROM pages AS page JOIN operations ON operations.id = page.operation_id
          WHERE page.failing AND page.level = statistics.level AND page.flags = statistics.flags
            AND operations.recording_id = statistics.recording_id) AS failing_pages, host
      FROM statistics JOIN recordings ON recordings.id = recording_id
      GROUP BY recording_id, level, flags ORDER BY in_failed_walk DESC, accepted DESC;
    CREATE VIEW lossy_hooks AS
      SELECT loss.*, host FROM loss JOIN recordings ON recordings.id = recording_id
      WHERE lost > 0 OR recorded > received OR received > written
        OR missed > 0 OR missed_returns > 0 OR missed_entries > 0 OR unstarted > 0
        OR untracked > 0 OR running > 0;
    CREATE VIEW loss_check AS
      SELECT recording_id, function, calls,
        reported + cut + aggregated + filtered + unstarted + missed + missed_returns AS accounted,
        calls = reported + cut + aggregated + filtered + unstarted + missed + missed_returns
          AND received <= recorded AND written <= received AS agrees
      FROM loss WHERE reported IS NOT NULL;
    CREATE VIEW incomplete_operations AS
      SELECT id, operation, pid, comm, cause, confidence, incomplete
      FROM operations LEFT JOIN failures ON operation_id = id WHERE incomplete IS NOT NULL;
    """
}
