// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// Each folder of Sources/TraceAgent is a layer and a target: it can import only
// the layers that stand before it (docs/architecture.md).
let layers = "Sources/TraceAgent"

let package = Package(
  name: "mrtrace",
  products: [.executable(name: "mrtrace", targets: ["mrtrace"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
  ],
  targets: [
    // bpf/events.h alone, so that decoding does not know libbpf.
    .target(name: "CEvents", path: "Sources/CBPF/events"),
    .target(
      name: "CBPF", path: "Sources/CBPF", exclude: ["events"],
      linkerSettings: [.linkedLibrary("bpf"), .linkedLibrary("elf"), .linkedLibrary("z")]),
    // What of Linux Swift's Glibc module does not show.
    .target(name: "CLinux", path: "Sources/CLinux", linkerSettings: [.linkedLibrary("z")]),
    .target(name: "CRecording", path: "Sources/CRecording"),
    .target(
      name: "CHTTP", path: "Sources/CHTTP", linkerSettings: [.linkedLibrary("event")]),
    .systemLibrary(name: "CSQLite", path: "Sources/CSQLite"),
    .plugin(name: "BPFObject", capability: .buildTool(), path: "bpf/plugin"),

    .target(name: "Model", path: "\(layers)/Model"),
    .target(name: "Events", dependencies: ["CEvents", "Model"], path: "\(layers)/Events"),
    .target(
      name: "Operations", dependencies: ["CEvents", "Events", "Model"],
      path: "\(layers)/Operations"),
    .target(name: "Diagnosis", dependencies: ["Model"], path: "\(layers)/Diagnosis"),
    .target(
      name: "Recording", dependencies: ["CRecording", "CEvents", "Events", "Model"],
      path: "\(layers)/Recording"),
    .target(
      name: "Kernel", dependencies: ["CBPF", "CEvents", "CLinux", "Events", "Model"],
      path: "\(layers)/Kernel", plugins: ["BPFObject"]),
    .target(
      name: "Pump", dependencies: ["CEvents", "Events", "Kernel", "Recording"],
      path: "\(layers)/Pump"),
    .target(
      name: "Explain", dependencies: ["Diagnosis", "Events", "Model", "Operations", "Recording"],
      path: "\(layers)/Explain"),
    .target(name: "Terminal", dependencies: ["Diagnosis", "Model"], path: "\(layers)/Terminal"),
    .target(
      name: "Live",
      dependencies: ["CEvents", "Diagnosis", "Events", "Model", "Operations", "Terminal"],
      path: "\(layers)/Live"),
    .target(
      name: "Monitor",
      dependencies: ["CHTTP", "Diagnosis", "Kernel", "Live", "Model", "Recording", "Terminal"],
      path: "\(layers)/Monitor"),
    .target(
      name: "Export",
      dependencies: [
        "CEvents", "CSQLite", "Diagnosis", "Events", "Explain", "Model", "Operations", "Recording",
        "Terminal",
      ],
      path: "\(layers)/Export"),
    .target(
      name: "Report",
      dependencies: [
        "CEvents", "Diagnosis", "Events", "Explain", "Model", "Operations", "Recording", "Terminal",
      ],
      path: "\(layers)/Report"),
    .target(
      name: "Agent",
      dependencies: [
        "CEvents", "CLinux", "Diagnosis", "Events", "Explain", "Kernel", "Live", "Model", "Monitor",
        "Operations", "Pump", "Recording", "Report", "Terminal",
      ],
      path: "\(layers)/Agent"),
    .executableTarget(
      name: "mrtrace",
      dependencies: [
        "Agent", "Diagnosis", "Export", "Kernel", "Model", "Monitor", "Recording", "Report",
        "Terminal",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "\(layers)/CLI"),
    // Makes the recordings that lab/bench measures; no product.
    .executableTarget(
      name: "synthesize", dependencies: ["CEvents", "Events", "Recording"],
      path: "lab/bench/synthesize"),
    // Runs one step of the agent's work by itself, for lab/bench; no product.
    .executableTarget(
      name: "stages",
      dependencies: [
        "CBPF", "CEvents", "Diagnosis", "Events", "Kernel", "Model", "Operations", "Pump",
        "Recording",
      ],
      path: "lab/bench/stages"),
    .testTarget(
      name: "TraceAgentTests",
      dependencies: [
        "Agent", "CBPF", "CRecording", "CEvents", "CHTTP", "CSQLite", "Diagnosis", "Events",
        "Explain", "Export", "Kernel", "Live", "Model", "Monitor", "Operations", "Pump",
        "Recording", "Report", "Terminal", "mrtrace",
      ],
      resources: [.copy("Fixtures")]),
  ],
  swiftLanguageModes: [.v6]
)
