// SPDX-License-Identifier: Apache-2.0

import Diagnosis

/// docs/causes.md, whole.
package enum CauseMarkdown {
  package static func render(_ causes: [Cause]) -> String {
    var text = """
      <!-- SPDX-License-Identifier: Apache-2.0 -->
      <!-- Written by "mrtrace explain --markdown" from the table of causes: change that, not this. -->
      # Causes

      Every name that a report can give, from `Sources/TraceAgent/Diagnosis/Cause+*.swift`; the checks from `Site+*.swift`.
      A check's letter is its layer: V verb and driver, U umem, H HMM and page faults, P pin. `mrtrace explain NAME` shows
      the same in a terminal, `mrtrace explain EFAULT` what can give an errno.
      \(CauseText.atRegistration)

      | cause | errno | in one line |
      |---|---|---|

      """
    for cause in causes {
      text +=
        "| [\(cause.name)](#\(cause.name)) | \(CauseText.list(cause.errnos, ", ")) | "
        + "\(escaped(cause.brief)) |\n"
    }
    text += "| unknown | any | \(CauseText.unknownBrief) |\n"
    for cause in causes { text += "\n" + section(cause) }
    return text
  }

  private static func section(_ cause: Cause) -> String {
    var text = "## \(cause.name)\n"
    text += "\(sentence(cause.brief))\n\n"
    text += "- errno: \(CauseText.list(cause.errnos, ", "))\n"
    text += "- in: \(cause.stages().map(\.rawValue).joined(separator: ", "))\n"
    text += "- kernel: \(escaped(cause.check))\n\n"
    text += "| check | kernels | function and condition | evidence |\n|---|---|---|---|\n"
    for site in cause.siteRows {
      text +=
        "| \(site.id) | \(site.kernels.isEmpty ? "all" : site.kernels) | \(escaped(site.check)) | "
        + "\(escaped(site.evidence)) |\n"
    }
    text += "\nWhat to do:\n"
    for advice in cause.advice { text += "- \(escaped(advice))\n" }
    text += "\nSee: " + cause.references.map(escaped).joined(separator: "; ") + "\n"
    return text
  }

  private static func sentence(_ brief: String) -> String {
    escaped(brief.prefix(1).uppercased() + brief.dropFirst()) + "."
  }

  /// What a Markdown table or paragraph would take for its own.
  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "|", "*", "_", "<", "`": result += "\\\(character)"
      default: result.append(character)
      }
    }
    return result
  }
}
