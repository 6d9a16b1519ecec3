import Foundation
import PackagePlugin

/// Writes `Plugins.swift` into a target: an import for each plugin that the target depends on, and all of them as
/// `let plugins: [any Plugin.Type]`.
///
/// A plugin is a dependency, a target of this package or a product of another, whose folder is `Plugins/X` or
/// `Plugins/X/Sources`. By convention the target `CSAE` declares `public enum CSAEPlugin: Plugin`.
@main
struct ListPlugins: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
    let names = target.dependencies.flatMap(targets).filter(isPlugin).map(\.moduleName)
    let output = context.pluginWorkDirectoryURL.appending(path: "Plugins.swift")
    return [
      .buildCommand(
        displayName: "Listing the plugins of \(target.name)",
        executable: try context.tool(named: "list-plugins").url,
        arguments: [output.path(percentEncoded: false)] + names,
        outputFiles: [output])
    ]
  }

  private func targets(of dependency: TargetDependency) -> [SwiftSourceModuleTarget] {
    let targets =
      switch dependency {
      case .target(let target): [target]
      case .product(let product): product.targets
      @unknown default: [any Target]()
      }
    return targets.compactMap { $0 as? SwiftSourceModuleTarget }
  }

  private func isPlugin(_ target: SwiftSourceModuleTarget) -> Bool {
    var folder = target.directoryURL
    if folder.lastPathComponent == "Sources" { folder.deleteLastPathComponent() }
    return folder.deletingLastPathComponent().lastPathComponent == "Plugins"
  }
}
