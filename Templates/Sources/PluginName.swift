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

  /// What a module may not be called: words of the language, modules that sources import, and types that a module of their
  /// name would hide.
  private static let reserved =
    """
    Any Self Type Protocol Swift Foundation FoundationEssentials Testing XCTest Glibc Musl Darwin Dispatch Synchronization
    RegexBuilder Observation Cxx Yams CYaml ArgumentParser ArgumentParserToolInfo PackageDescription PackagePlugin Plugin
    Plugins Tests Native Host Torch LatentKit Recipes Datasets Training Statistics Figures Reports Runs Studies HostKit Files
    Templates TestSupport ConformanceKit ForeignParts ListPlugins

    Actor Array ArraySlice Bool Character Clock ClosedRange Codable Collection Comparable CustomStringConvertible Decodable
    Dictionary Double Duration Encodable Equatable Error Float Float16 Float32 Float64 Hashable Identifiable Int Int8 Int16 Int32
    Int64 Iterator KeyPath MainActor Mirror Never Numeric Optional OptionSet RandomNumberGenerator Range Regex Result Sendable
    Sequence Set String Substring Task TaskGroup TaskLocal UInt UInt8 UInt16 UInt32 UInt64 Void Zip

    Bundle Calendar CharacterSet Data Date DateFormatter Decimal FileHandle FileManager IndexSet JSONDecoder JSONEncoder Locale
    Lock Notification NumberFormatter Pipe Process ProcessInfo Progress Scanner Thread TimeInterval TimeZone Timer UUID
    Unit URL URLSession

    Comment Issue Suite Tag Test Trait

    Action AnalyticPrior Batch BatchNorm BuildContext Catalog CentroidPrior Checkpoint ClassRequest Classifier Code Companions
    Component ComponentConfig Composer Composition Config Constraint Contribution Convolution Dataset DatasetEntry DataNeeds
    DataShape Decoder Dependency Device DirectPrior Discriminator Draw DrawRequest DType Embedding Encoder Entry EstimatingSampler
    Evaluation Evaluator Examples FittablePrior FlatPrior Forward Generator Identity LatentBatch LatentNoise LatentSet
    Layer LearningRateSchedule Library Linear Loss Measured Metric Mode Model Module Moments NoConfig Noise Optimizer Package Paper
    Parameter ParameterStore Part PartChoice Prior RandomSource Recipe RecipeError Run Sampler Scope SelectiveSampler Session
    Setting Slot Stage Step Study Target Tensor TensorError Term Trainer TrainingReference Transform Value
    """.split(whereSeparator: \.isWhitespace).map(String.init)
}
