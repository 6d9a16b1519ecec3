/// A part of a model, named in a catalog and built from a configuration.
///
/// A component is one type: its configuration, what it stores, its init and its one verb. Components are built by the
/// composer, in the order encoder, prior, decoder, classifier, discriminator, then everything else.
public protocol Component: SendableMetatype {
  associatedtype Config: ComponentConfig

  /// - Throws: `RecipeError` where the configuration cannot work with the data or with the other parts.
  init(_ config: Config, in context: BuildContext) throws
}

/// The settings of a component. Its properties are what a recipe may say under `with:`.
public protocol ComponentConfig: Codable, Equatable, Sendable {
  /// The paper's defaults.
  init()

  /// One line per property, in the order in which they are shown.
  static var help: KeyValuePairs<String, String> { get }
}

/// For components without settings.
public struct NoConfig: ComponentConfig {
  public init() {}
  public static var help: KeyValuePairs<String, String> { [:] }
}

/// What a component may know while it is built.
public struct BuildContext: Sendable {
  /// The shape of one input: `[channels, height, width]` for images, `[features]` for tables.
  public var inputShape: [Int]
  /// The smallest and largest value that inputs can take, `0...1` say; nil when they have no bounds.
  public var inputRange: ClosedRange<Double>?
  /// How many classes the labels have; nil without labels.
  public var classCount: Int?
  /// The length of a latent vector: known once the encoder stands. 0 while the encoder itself is built.
  public var latentSize: Int
  /// Where the component creates its parameters.
  public var scope: Scope
  /// What messages call the component: `encoder 'resnet'`.
  public var title: String
  /// What was computed in earlier builds by the same composer.
  public var memory: BuildMemory

  public init(
    inputShape: [Int], inputRange: ClosedRange<Double>? = nil, classCount: Int? = nil, latentSize: Int = 0,
    scope: Scope, title: String = "part", memory: BuildMemory = BuildMemory()
  ) {
    self.inputShape = inputShape
    self.inputRange = inputRange
    self.classCount = classCount
    self.latentSize = latentSize
    self.scope = scope
    self.title = title
    self.memory = memory
  }

  public var device: Device { scope.device }
  public var dtype: DType { scope.dtype }
  public var seed: UInt64 { scope.seed }

  /// The number of values in one input.
  public var inputSize: Int { inputShape.reduce(1, *) }

  /// The number of classes.
  /// - Throws: `RecipeError` where the data have no labels.
  public func requireClasses() throws -> Int {
    guard let classCount else {
      throw RecipeError("\(title) needs labels, and the data have none; choose a labelled dataset")
    }
    return classCount
  }

  /// Channels, height and width of an input.
  /// - Throws: `RecipeError` where inputs are not images.
  public func requireImage() throws -> (channels: Int, height: Int, width: Int) {
    guard inputShape.count == 3 else {
      throw RecipeError(
        "\(title) needs images [channels, height, width], found inputs of shape \(inputShape); use an mlp instead")
    }
    return (inputShape[0], inputShape[1], inputShape[2])
  }
}

/// Something about a recipe that cannot work: what was found, what was expected, what to do. One sentence.
public struct RecipeError: Error, CustomStringConvertible, Equatable {
  public let description: String
  public init(_ description: String) { self.description = description }

  public static func missing(_ what: String, for part: String, fix: String) -> RecipeError {
    RecipeError("\(part) needs \(what), which this recipe does not have; \(fix)")
  }
}
