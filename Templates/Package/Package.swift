// swift-tools-version: 6.2
import PackageDescription

/// The plugins of this package: a folder under `Plugins/` and one word here. `host new plugin NAME` makes both.
let plugins = ["__Name__"]

/// The last word of LatentKit's address, by which SwiftPM knows it.
let latentKit = "__repository__"

let libraries = ["LatentKit", "HostKit", "Plugins"].map { Target.Dependency.product(name: $0, package: latentKit) }

let package = Package(
  name: "__Name__",
  platforms: [.macOS(.v14)],
  dependencies: [.package(url: "__url__", from: "__version__")],
  targets: [
    // ListPlugins imports the plugins that the program depends on, and lists them as `plugins`.
    .executableTarget(
      name: "__name__-host", dependencies: plugins.map { .target(name: $0) } + libraries, path: "Sources/Host",
      plugins: [.plugin(name: "ListPlugins", package: latentKit)])
  ]
    + plugins.flatMap { name -> [Target] in
      [
        .target(name: name, dependencies: [libraries[0]], path: "Plugins/\(name)/Sources"),
        .testTarget(
          name: "\(name)Tests", dependencies: [.target(name: name), libraries[0]], path: "Plugins/\(name)/Tests"),
      ]
    },
  swiftLanguageModes: [.v6]
)
