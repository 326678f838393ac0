// SPDX-License-Identifier: Apache-2.0

import Diagnosis
import Model

/// Causes as JSON, one line each without its newline.
package enum CauseJSON {
  package static func line(_ cause: Cause) -> String {
    var object = JSONObject()
    object.add("cause", cause.name)
    object.add("brief", cause.brief)
    object.add("errnos", .strings(cause.errnos.map(\.description)))
    object.add("operations", .strings(cause.stages().map(\.rawValue)))
    object.add("check", cause.check)
    object.add("sites", .array(cause.siteRows.map(site)))
    object.add("advice", .strings(cause.advice))
    object.add("references", .strings(cause.references))
    return JSON.object(object).line
  }

  package static func errnoLine(_ errno: Errno, _ causes: [Cause]) -> String {
    var object = JSONObject()
    object.add("errno", errno.description)
    object.add("number", number: Int(errno.rawValue))
    let matching = causes.filter { $0.errnos.contains(errno) }
    object.add(
      "causes",
      .array(
        matching.map { cause in
          var row = JSONObject()
          row.add("cause", cause.name)
          row.add("brief", cause.brief)
          row.add("operations", .strings(cause.stages(errno: errno).map(\.rawValue)))
          return .object(row)
        }))
    return JSON.object(object).line
  }

  package static var unknownLine: String {
    var object = JSONObject()
    object.add("cause", Diagnosis.unknown)
    object.add("brief", CauseText.unknownBrief)
    return JSON.object(object).line
  }

  private static func site(_ site: Site) -> JSON {
    var object = JSONObject()
    object.add("id", site.id)
    object.add("check", site.check)
    if !site.kernels.isEmpty { object.add("kernels", site.kernels) }
    object.add("errnos", .strings(site.errnos.map(\.description)))
    object.add("operations", .strings(site.stages.map(\.rawValue)))
    object.add("evidence", site.evidence)
    return .object(object)
  }
}
