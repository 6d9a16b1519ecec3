import Foundation

/// The name of a new plugin or package, checked: `RingLatents`.
public struct PluginName: Equatable {
  /// The name as a module: `RingLatents`.
  public let text: String

  /// - Throws: `TemplateError` for a name that cannot be a module's, or that would hide something.
  public init(_ text: String) throws {
    func refusal(_ reason: String) -> TemplateError {
      TemplateError("found the name '\(text)', \(reason)")
    }
    guard text.wholeMatch(of: /[A-Z][A-Za-z0-9]{0,63}/) != nil else {
      throw refusal("expected up to 64 letters and digits with a capital first, as in RingLatents")
    }
    for end in ["Plugin", "Tests", "Native"] where text.hasSuffix(end) && text != end {
      throw refusal("whose end '\(end)' is put behind it anyway; leave it out: \(text.dropLast(end.count))")
    }
    let taken = PluginName.reserved.first { $0.lowercased() == text.lowercased() }
    if let taken { throw refusal("which is taken: '\(taken)' is a word of Swift, of its libraries or of LatentKit") }
    self.text = text
  }

  /// The name of its parts in recipes: `ring-latents`.
  public var partName: String {
    text.replacing(/([a-z0-9])([A-Z])/) { "\($0.1)-\($0.2)" }.replacing(/([A-Z])([A-Z][a-z])/) { "\($0.1)-\($0.2)" }
      .lowercased()
  }

  /// What a module may not be called: words of the language, modules that sources import, and types that would be hidden
  /// by a module of their name.
  private static let reserved =
    ["Any", "Self", "Type", "Protocol", "Swift", "Foundation", "FoundationEssentials", "Testing", "XCTest", "Glibc"]
    + ["Musl", "Darwin", "Dispatch", "Synchronization", "RegexBuilder", "Observation", "Cxx", "Yams", "CYaml"]
    + ["ArgumentParser", "ArgumentParserToolInfo", "PackageDescription", "PackagePlugin", "Plugin", "Plugins", "Tests"]
    + ["Native", "Host", "Torch", "LatentKit", "Recipes", "Datasets", "Training", "Statistics", "Figures", "Reports"]
    + ["Runs", "Studies", "HostKit", "Files", "Templates", "TestSupport", "ConformanceKit", "ListPlugins"]
    + ["Batch", "Catalog", "Classifier", "Code", "Companions", "Component", "Constraint", "Contribution", "Decoder"]
    + ["Discriminator", "Draw", "Encoder", "Entry", "Evaluation", "Forward", "Generator", "Loss", "Measured", "Metric"]
    + [
      "Model", "Optimizer", "Paper", "Part", "Prior", "Sampler", "Scope", "Setting", "Slot", "Tensor", "Term", "Value",
    ]
}
