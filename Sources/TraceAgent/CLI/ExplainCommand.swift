// SPDX-License-Identifier: Apache-2.0

import Agent
import ArgumentParser
import Diagnosis
import Glibc
import Model
import Terminal

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "The page on a cause, the causes of an errno, or a raw page-table entry bit by bit.",
    usage: """
      mrtrace explain [--json]
      mrtrace explain CAUSE|ERRNO [--json]
      mrtrace explain pte|pmd|pud VALUE [--kernel X.Y]... [--arch x86_64|arm64] [--json]
      mrtrace explain --markdown
      """,
    discussion: """
      Without an argument: all causes. An errno is a name or a number. VALUE is hexadecimal, with or without 0x, \
      as dmesg prints it; the kernel is the running one unless --kernel says another (X.Y from 5.4 on, newest, or \
      fsdax-2021, the lab's kernel with the bug of 2021). What HMM does with an entry is told as far as the entry \
      alone decides.

      EXAMPLES
        mrtrace explain
        mrtrace explain pte-special-devmap
        mrtrace explain EFAULT
        mrtrace explain pte 0x8400000028040267 --kernel 6.1
        mrtrace explain pte 0x8400000028040267 --kernel 5.10.66 --kernel 5.10.67 --kernel 6.12
        mrtrace explain pmd 0x60000080000f41 --arch arm64 --kernel 6.12
      """)

  @Argument(help: "A cause, an errno, or pte, pmd or pud and a value.")
  var subject: [String] = []

  @Option(
    help: ArgumentHelp(
      "The kernel that wrote the entry. Repeatable: a table compares them.", valueName: "x.y"))
  var kernel: [String] = []

  @Option(help: "The architecture of the entry: x86_64 or arm64 (from its headers, never run).")
  var arch: PageTableFormat.Architecture?

  @Flag(
    inversion: .prefixedNo,
    help:
      "The kernel has CONFIG_DEVICE_PRIVATE, which moves the numbers of swap types. Default: as Debian's of that release."
  )
  var devicePrivate: Bool?

  @Flag(help: "JSON, one object a line.")
  var json = false

  @Flag(help: "The table of causes as docs/causes.md.")
  var markdown = false

  func validate() throws {
    let isEntry = level != nil
    if !isEntry, !kernel.isEmpty || arch != nil || devicePrivate != nil {
      throw ValidationError(
        "--kernel, --arch and --device-private go with a page-table entry: pte, pmd or pud and a value."
      )
    }
    if markdown, json || !subject.isEmpty {
      throw ValidationError("--markdown prints the whole table and takes nothing else.")
    }
    if isEntry, subject.count != 2 {
      throw ValidationError(
        "\"\(subject[0])\" needs one value after it, e.g. mrtrace explain \(subject[0]) 0x8400000028040267"
      )
    }
    if !isEntry, subject.count > 1 {
      throw ValidationError("Explain takes one cause or one errno at a time.")
    }
  }

  private var level: PageTableLevel? {
    guard let word = subject.first?.lowercased(), ["pte", "pmd", "pud"].contains(word) else {
      return nil
    }
    return PageTableLevel(rawValue: word)
  }

  func run() throws {
    _ = signal(SIGPIPE, SIG_IGN)
    if let level {
      try explainEntry(level, subject[1])
    } else if markdown {
      Output.results(CauseMarkdown.render(Cause.all))
    } else if let word = subject.first {
      try explainName(word)
    } else if json {
      for cause in Cause.all { Output.results(CauseJSON.line(cause) + "\n") }
      Output.results(CauseJSON.unknownLine + "\n")
    } else {
      Output.results(CauseText.list(Cause.all, style: style))
    }
  }

  private var style: Style { Output.style(of: STDOUT_FILENO) }

  private func explainName(_ word: String) throws {
    let name = word.lowercased()
    if let cause = Cause.named(name) {
      Output.results(
        json ? CauseJSON.line(cause) + "\n" : CauseText.page(cause, style: style))
    } else if name == Diagnosis.unknown {
      Output.results(json ? CauseJSON.unknownLine + "\n" : CauseText.unknown(style: style))
    } else if let errno = Errno(spelled: word) {
      Output.results(
        json
          ? CauseJSON.errnoLine(errno, Cause.all) + "\n"
          : CauseText.errno(errno, Cause.all, style: style))
    } else {
      throw Output.wrongUsage(noSuch(word))
    }
  }

  private func noSuch(_ word: String) -> String {
    let names = Cause.all.map(\.name) + [Diagnosis.unknown, "pte", "pmd", "pud"]
    let near = NearestName.of(word.lowercased(), in: names)
    guard !near.isEmpty else {
      return "\"\(word)\" is no cause and no errno; \"mrtrace explain\" lists all causes"
    }
    return "\"\(word)\" is no cause and no errno; did you mean \(near.joined(separator: ", "))?"
  }

  private func explainEntry(_ level: PageTableLevel, _ value: String) throws {
    guard let raw = ExplainKernel.value(value) else {
      throw Output.wrongUsage(
        "\"\(value)\" is no page-table entry: say up to 16 hexadecimal digits, e.g. 0x8400000028040267"
      )
    }
    var kernels: [ExplainKernel] = []
    for name in kernel {
      guard let found = ExplainKernel(name) else {
        throw Output.wrongUsage(
          "--kernel \(name): say a release from 5.4 on such as 6.12, newest, or fsdax-2021")
      }
      kernels.append(found)
    }
    if kernels.isEmpty { kernels = [ExplainKernel.running(arch ?? .x86_64)] }
    let entries = kernels.map {
      $0.explain(raw, level, arch ?? .x86_64, devicePrivate: devicePrivate)
    }
    if json {
      for entry in entries { Output.results(EntryJSON.line(entry) + "\n") }
    } else {
      Output.results(EntryText.render(entries, style: style))
    }
  }
}

extension PageTableFormat.Architecture: ExpressibleByArgument {
  /// Also as `uname -m` and Debian say it.
  package init?(argument: String) {
    switch argument.lowercased() {
    case "x86_64", "x86-64", "amd64": self = .x86_64
    case "arm64", "aarch64": self = .arm64
    default: return nil
    }
  }
}

extension Errno {
  /// "EFAULT", "efault" or "14"; nil for what has no name.
  init?(spelled text: String) {
    let name = text.uppercased()
    for number in Int32(1)...4095 {
      let candidate = Errno(rawValue: number)
      guard candidate.description.hasPrefix("E") else { continue }
      if candidate.description == name || "\(number)" == name {
        self = candidate
        return
      }
    }
    return nil
  }
}
