// swift-tools-version: 6.2
import PackageDescription

/// The plugins that `host` is built with. A paper is a folder under `Plugins/` and one word here.
let plugins: [Paper] = [
  Paper("Baseline", tests: true), Paper("CSAE", native: true, tests: true),
  Paper("SparseSAE", native: true, tests: true), Paper("AdversarialVAE", tests: true),
  Paper("IntraClassVariance", tests: true), Paper("DownstreamVAE", tests: true),
]

/// The word for the folder `Plugins/<name>`, of which only `Sources/` must be there. What else is to be built is said here:
/// SwiftPM caches what a manifest comes to by its text, so that a manifest that looked for folders would miss new ones.
struct Paper: ExpressibleByStringLiteral {
  let name: String
  /// C or C++ kernels in `Native/`, with a C interface in `Native/include/`: the module `<name>Native`.
  let hasNative: Bool
  /// `Tests/`.
  let hasTests: Bool

  init(_ name: String, native: Bool = false, tests: Bool = false) {
    (self.name, hasNative, hasTests) = (name, native, tests)
  }
  init(stringLiteral name: String) { self.init(name) }

  var dependency: Target.Dependency { .byName(name: name) }

  var targets: [Target] {
    var targets: [Target] = [
      .target(
        name: name,
        dependencies: ["LatentKit", "Datasets", "Statistics"] + (hasNative ? [.byName(name: "\(name)Native")] : []),
        path: "Plugins/\(name)/Sources", swiftSettings: strict)
    ]
    if hasNative { targets.append(kernels("\(name)Native", path: "Plugins/\(name)/Native")) }
    if hasTests {
      let modules: [Target.Dependency] = [dependency, "LatentKit", "Datasets", "Statistics", "TestSupport"]
      targets.append(tests(name, modules, path: "Plugins/\(name)/Tests"))
    }
    return targets
  }
}

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// Only what runs needs a run path. Library products stay free of unsafe flags, so that packages can depend on them by version.
let runPath: [LinkerSetting] = [
  .unsafeFlags(["-Xlinker", "-rpath", "-Xlinker", "\(Context.packageDirectory)/.libtorch/lib"])
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

func module(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
  .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

/// C++ that computes on libtorch's tensors.
func kernels(_ name: String, path: String? = nil) -> Target {
  .target(
    name: name, dependencies: ["CTorch", "CLibTorch"], path: path, cxxSettings: [.treatAllWarnings(as: .error)])
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency], path: String? = nil, resources: [Resource]? = nil,
  plugins: [Target.PluginUsage]? = nil
) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: dependencies, path: path, resources: resources, swiftSettings: strict,
    linkerSettings: runPath, plugins: plugins)
}

/// What `make docs` needs. Others do not: it would be fetched and built by each build, and by packages that depend on this one.
let documentation: [Package.Dependency] =
  Context.environment["LATENTKIT_DOCS"] == nil
  ? [] : [.package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0")]

let package = Package(
  name: "LatentKit",
  platforms: [.macOS(.v14)],
  products: [
    .library(name: "Torch", targets: ["Torch"]),
    .library(
      name: "LatentKit",
      targets: [
        "LatentKit", "Recipes", "Datasets", "Training", "Statistics", "Figures", "Reports", "Runs", "Studies",
        "ForeignParts",
      ]),
    .library(name: "ConformanceKit", targets: ["ConformanceKit"]),
    .library(name: "HostKit", targets: ["HostKit"]),
    .executable(name: "host", targets: ["host"]),
    // Every plugin, for packages that want all of them.
    .library(name: "Plugins", targets: plugins.map(\.name)),
    // For packages that build a host of their own from these plugins and theirs.
    .plugin(name: "ListPlugins", targets: ["ListPlugins"]),
  ]
    + plugins.map { .library(name: $0.name, targets: [$0.name]) },
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ] + documentation,
  targets: [
    .systemLibrary(name: "CLibTorch", pkgConfig: "libtorch"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CPng", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
    .systemLibrary(name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(name: "CMatio", pkgConfig: "matio", providers: [.apt(["libmatio-dev"])]),
    .systemLibrary(name: "CFFI", pkgConfig: "libffi", providers: [.apt(["libffi-dev"])]),
    .target(
      name: "CReaders", dependencies: ["CPng", "CTurboJPEG", "CMatio", "CHDF5"],
      cSettings: [.treatAllWarnings(as: .error)]),
    .target(name: "CTorch", dependencies: ["CLibTorch"], cxxSettings: [.treatAllWarnings(as: .error)]),
    module("Files", ["CCrypto"]),
    .target(
      name: "Templates", dependencies: ["Files"], path: "Templates", sources: ["Sources"],
      resources: [.copy("Plugin"), .copy("Package")], swiftSettings: strict),
    module("Torch", ["CTorch", "Files"]),
    module("LatentKit", ["Torch", "Files"]),
    module("Recipes", ["LatentKit", "Files", "Yams"]),
    module("Datasets", ["LatentKit", "Files", "CReaders", "CZlib", "CZip"], resources: [.copy("Embedded")]),
    kernels("CStatistics"),
    module("Statistics", ["LatentKit", "CStatistics"]),
    .target(name: "CForeign", dependencies: ["CFFI"], cxxSettings: [.treatAllWarnings(as: .error)]),
    module("ForeignParts", ["CForeign", "LatentKit", "Recipes", "Datasets", "Statistics", "Files"]),
    module("Figures", ["LatentKit", "Files", "CPng"]),
    module("ConformanceKit", ["LatentKit", "Recipes", "Datasets", "Training", "Files"]),
    module("Reports", ["Files"]),
    module("Training", ["LatentKit", "Recipes", "Datasets", "Files"]),
    module("Runs", ["LatentKit", "Recipes", "Datasets", "Statistics", "Figures", "Reports", "Training", "Files"]),
    module(
      "Studies",
      ["Runs", "LatentKit", "Recipes", "Datasets", "Statistics", "Figures", "Reports", "Training", "Files"]),
    module(
      "HostKit",
      [
        "Studies", "Runs", "LatentKit", "Recipes", "Datasets", "Statistics", "Figures", "Training", "Files",
        "Templates", "ConformanceKit", "ForeignParts", argumentParser,
      ]),
    .executableTarget(
      name: "host", dependencies: ["HostKit", "LatentKit"] + plugins.map(\.dependency), swiftSettings: strict,
      linkerSettings: runPath, plugins: ["ListPlugins"]),
    .executableTarget(
      name: "bench",
      dependencies: ["HostKit", "Runs", "LatentKit", "Recipes", "Datasets", "Statistics", "Training", argumentParser]
        + plugins.map(\.dependency), swiftSettings: strict, linkerSettings: runPath, plugins: ["ListPlugins"]),

    .executableTarget(
      name: "fuzz",
      dependencies: [
        "Studies", "Runs", "Training", "Reports", "Recipes", "Datasets", "LatentKit", "ForeignParts", "CZlib",
        argumentParser,
      ]
        + plugins.map(\.dependency), swiftSettings: strict, linkerSettings: runPath, plugins: ["ListPlugins"]),

    .executableTarget(name: "list-plugins", path: "Sources/list-plugins", swiftSettings: strict),
    .plugin(name: "ListPlugins", capability: .buildTool(), dependencies: ["list-plugins"], path: "Sources/ListPlugins"),

    .target(name: "TestSupport", dependencies: ["LatentKit"], path: "Tests/TestSupport", swiftSettings: strict),
    tests("Torch", ["Torch", "Files"], resources: [.copy("Fixtures")]),
    tests("Files", ["Files"]),
    tests("Templates", ["Templates", "Files"], resources: [.copy("Scripts")]),
    tests("LatentKit", ["LatentKit"]),
    tests("Recipes", ["Recipes", "LatentKit"]),
    tests("Datasets", ["Datasets", "Files", "LatentKit"], resources: [.copy("Fixtures")]),
    tests("Statistics", ["Statistics", "LatentKit"], resources: [.copy("Fixtures")]),
    tests(
      "ForeignParts",
      [
        "ForeignParts", "ConformanceKit", "LatentKit", "Recipes", "Datasets", "Runs", "Training", "Files",
        "TestSupport",
      ]
        + plugins.map(\.dependency), resources: [.copy("Fixtures")], plugins: ["ListPlugins"]),
    tests("Figures", ["Figures", "Files", "LatentKit"]),
    tests("ConformanceKit", ["ConformanceKit", "LatentKit"] + plugins.map(\.dependency), plugins: ["ListPlugins"]),
    tests("Reports", ["Reports", "Files"]),
    tests(
      "Training",
      ["Training", "LatentKit", "Recipes", "Datasets", "Files", argumentParser] + plugins.map(\.dependency),
      plugins: ["ListPlugins"]),
    tests(
      "Runs", ["Runs", "LatentKit", "Recipes", "Datasets", "Training", "Files"] + plugins.map(\.dependency),
      plugins: ["ListPlugins"]),
    tests(
      "Studies", ["Studies", "Runs", "LatentKit", "Recipes", "Training"] + plugins.map(\.dependency),
      plugins: ["ListPlugins"]),
    tests(
      "HostKit",
      [
        "HostKit", "Studies", "Runs", "LatentKit", "Recipes", "Datasets", "Figures", "Training", "Files",
        argumentParser,
      ] + plugins.map(\.dependency), plugins: ["ListPlugins"]),
    tests("Campaign", ["fuzz", "host", "HostKit", "LatentKit", "Recipes"]),
  ]
    + plugins.flatMap(\.targets),
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx20
)

/// The tests to build, all of them unless the environment names some targets: those of one plugin need not wait for the rest.
let chosenTests = Context.environment["LATENTKIT_TESTS"]?.split(separator: ",").map(String.init) ?? []
if !chosenTests.isEmpty { package.targets.removeAll { $0.type == .test && !chosenTests.contains($0.name) } }
