#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

// list-plugins OUTPUT NAME...: writes the Swift file that imports the named plugins and lists them in that order.

guard let output = CommandLine.arguments.dropFirst().first else {
  fatalError("usage: list-plugins OUTPUT NAME...")
}
let names = CommandLine.arguments.dropFirst(2)

let source = """
  // Written by the build-tool plugin ListPlugins: the plugins that this target depends on.

  \((["LatentKit"] + names).map { "import \($0)" }.joined(separator: "\n"))

  let plugins: [any Plugin.Type] = [\(names.map { "\($0)Plugin.self" }.joined(separator: ", "))]

  """

try Data(source.utf8).write(to: URL(filePath: output), options: .atomic)
