// swift-tools-version: 6.2
import PackageDescription

/// The plugins that `host` is built with. A paper is a folder under `Plugins/` and one word here.
let plugins = ["Baseline", "CSAE", "SparseSAE"]

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// Only what runs needs a run path. Library products stay free of unsafe flags, so that packages can depend on them by version.
let runPath: [LinkerSetting] = [
  .unsafeFlags(["-Xlinker", "-rpath", "-Xlinker", "\(Context.packageDirectory)/.libtorch/lib"])
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

func module(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
  .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency], path: String? = nil, resources: [Resource]? = nil
) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: dependencies, path: path, resources: resources, swiftSettings: strict,
    linkerSettings: runPath)
}

let package = Package(
  name: "LatentKit",
  platforms: [.macOS(.v14)],
  products: [
    .library(name: "Torch", targets: ["Torch"]),
    .library(
      name: "LatentKit",
      targets: [
        "LatentKit", "Recipes", "Datasets", "Training", "Metrics", "Figures", "Runs", "Studies",
      ]),
    .library(name: "HostKit", targets: ["HostKit"]),
    .executable(name: "host", targets: ["host"]),
    // For packages that build a host of their own from these plugins and theirs.
    .plugin(name: "ListPlugins", targets: ["ListPlugins"]),
  ]
    + plugins.map { .library(name: $0, targets: [$0]) },
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    .systemLibrary(name: "CLibTorch", pkgConfig: "libtorch"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CPng", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .target(name: "CTorch", dependencies: ["CLibTorch"], cxxSettings: [.treatAllWarnings(as: .error)]),
    module("Files", []),
    module("Torch", ["CTorch", "Files"]),
    module("LatentKit", ["Torch"]),
    module("Recipes", ["LatentKit", "Yams"]),
    module("Datasets", ["LatentKit", "Files", "CZlib"], resources: [.copy("Embedded")]),
    module("Metrics", ["LatentKit"]),
    module("Figures", ["LatentKit", "Files", "CPng"]),
    module("Training", ["LatentKit", "Recipes", "Datasets", "Files"]),
    module("Runs", ["LatentKit", "Recipes", "Datasets", "Metrics", "Figures", "Training", "Files"]),
    module("Studies", ["Runs", "LatentKit", "Recipes", "Datasets", "Figures", "Training", "Files"]),
    module(
      "HostKit",
      ["Studies", "Runs", "LatentKit", "Recipes", "Datasets", "Metrics", "Figures", "Training", argumentParser]),
    .executableTarget(
      name: "host", dependencies: ["HostKit", "LatentKit"] + plugins.map { .byName(name: $0) }, swiftSettings: strict,
      linkerSettings: runPath, plugins: ["ListPlugins"]),
    .executableTarget(
      name: "bench",
      dependencies: ["HostKit", "Runs", "LatentKit", "Recipes", "Datasets", "Training", argumentParser]
        + plugins.map { .byName(name: $0) }, swiftSettings: strict, linkerSettings: runPath, plugins: ["ListPlugins"]),

    .executableTarget(name: "list-plugins", path: "Sources/list-plugins", swiftSettings: strict),
    .plugin(name: "ListPlugins", capability: .buildTool(), dependencies: ["list-plugins"], path: "Sources/ListPlugins"),

    tests("Torch", ["Torch", "Files"], resources: [.copy("Fixtures")]),
    tests("LatentKit", ["LatentKit"]),
    tests("Recipes", ["Recipes", "LatentKit"]),
    tests("Datasets", ["Datasets", "Files", "LatentKit"]),
    tests("Metrics", ["Metrics", "LatentKit"]),
    tests("Figures", ["Figures", "Files", "LatentKit"]),
    tests(
      "Training",
      ["Training", "LatentKit", "Recipes", "Datasets", "Files", argumentParser] + plugins.map { .byName(name: $0) }),
    tests("Runs", ["Runs", "LatentKit", "Recipes", "Datasets", "Training"] + plugins.map { .byName(name: $0) }),
    tests(
      "Studies",
      ["Studies", "Runs", "LatentKit", "Recipes", "Training"] + plugins.map { .byName(name: $0) }),
    tests(
      "HostKit",
      [
        "HostKit", "Studies", "Runs", "LatentKit", "Recipes", "Datasets", "Figures", "Training", "Files",
        argumentParser,
      ] + plugins.map { .byName(name: $0) }),
  ]
    + plugins.flatMap { name in
      [
        .target(
          name: name, dependencies: ["LatentKit", "Metrics"], path: "Plugins/\(name)", exclude: ["Tests", "README.md"],
          sources: ["Sources"], resources: [.copy("recipes"), .copy("experiments")], swiftSettings: strict),
        tests(name, [.byName(name: name), "LatentKit", "Metrics"], path: "Plugins/\(name)/Tests"),
      ]
    },
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx20
)
