// SPDX-License-Identifier: Apache-2.0

import Foundation
import PackagePlugin

/// Compiles bpf/*.bpf.c with clang's BPF target and embeds each object in the target that uses this plugin, as a
/// base64 string of the packed object: one binary, nothing to install, rebuilt when any file of bpf/ changes.
///
/// `BPF_CLANG` in the environment names another clang (Debian's, say).
@main
struct BPFObject: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
    let bpf = context.package.directoryURL.appending(path: "bpf")
    let output = context.pluginWorkDirectoryURL
    let environment = ProcessInfo.processInfo.environment
    let clang = try environment["BPF_CLANG"] ?? context.tool(named: "clang").url.path
    let objcopy = URL(fileURLWithPath: clang).deletingLastPathComponent()
      .appending(path: "llvm-objcopy").path
    let files = try FileManager.default.contentsOfDirectory(
      at: bpf, includingPropertiesForKeys: nil)
    let headers = files.filter { $0.pathExtension == "h" }

    // DWARF is of no use at run time; .BTF and .BTF.ext stay.
    let script = """
      set -eu
      "$1" -g -O2 -target bpf -mcpu=v3 "-D__TARGET_ARCH_$2" -Wall -Werror -I "$3" -c "$4" -o "$5"
      if [ -x "$7" ]; then "$7" --strip-debug --remove-section .rel.BTF --remove-section .rel.BTF.ext "$5"; fi
      { printf '// Generated from bpf/.\\nextension BPFObjectImage {\\n  static var %s: StaticString { "' "$8"
        gzip -9 -n -c "$5" | base64 -w0
        printf '" }\\n}\\n'; } > "$6"
      """
    return
      files
      .filter { $0.lastPathComponent.hasSuffix(".bpf.c") }
      .sorted { $0.path < $1.path }
      .map { source in
        let stem = String(source.lastPathComponent.dropLast(".bpf.c".count))
        let object = output.appending(path: "\(stem).bpf.o")
        let swift = output.appending(path: "BPFObjectImage+\(stem).swift")
        return .buildCommand(
          displayName: "BPF \(source.lastPathComponent)",
          executable: URL(fileURLWithPath: "/bin/sh"),
          arguments: [
            "-c", script, "sh", clang, targetArchitecture, bpf.path, source.path, object.path,
            swift.path, objcopy, stem,
          ],
          inputFiles: [source] + headers,
          outputFiles: [swift])
      }
  }

  private var targetArchitecture: String {
    #if arch(arm64)
      "arm64"
    #else
      "x86"
    #endif
  }
}
