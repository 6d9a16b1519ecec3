/// How a part is made from a recipe: from its settings, in the context of the data and of the parts before it.
///
/// A component is one type: its configuration, what it stores, its init and its verb. Components are built in the order of
/// `Slot.all`: encoder, prior, decoder, classifier, discriminator, noise, sampler, metrics, then the losses of each step.
public protocol Component: SendableMetatype {
  associatedtype Config: ComponentConfig

  /// - Throws: `RecipeError` where the configuration cannot work with the data or with the other parts.
  init(_ config: Config, in context: BuildContext) throws
}

/// What a component may know while it is built.
public struct BuildContext {
  /// The shape of one input: `[channels, height, width]` for images, `[features]` for tables.
  public var inputShape: [Int]
  /// The smallest and largest value that inputs can take, `0...1` say; nil when they have no bounds.
  public var inputRange: ClosedRange<Double>?
  /// Pixels that were added on each side of an image, and are no part of it.
  public var padding: Int
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
  /// The encoder, once it stands.
  public var encoder: (any Encoder)?
  /// The parts that were made before; nil until there are an encoder and a prior.
  public var model: Model?

  public init(
    inputShape: [Int], inputRange: ClosedRange<Double>? = nil, padding: Int = 0, classCount: Int? = nil,
    latentSize: Int = 0, scope: Scope, title: String = "part", memory: BuildMemory = BuildMemory(),
    encoder: (any Encoder)? = nil, model: Model? = nil
  ) {
    self.inputShape = inputShape
    self.inputRange = inputRange
    self.padding = padding
    self.classCount = classCount
    self.latentSize = latentSize
    self.scope = scope
    self.title = title
    self.memory = memory
    self.encoder = encoder
    self.model = model
  }

  public var device: Device { scope.device }
  public var dtype: DType { scope.dtype }
  public var seed: UInt64 { scope.seed }

  /// The number of values in one input.
  public var inputSize: Int { inputShape.reduce(1, *) }

  /// The number of classes.
  /// - Throws: `RecipeError` where the data have no labels.
  public func requireClasses() throws -> Int {
    guard let classCount else { throw RecipeError.needsLabels(title) }
    return classCount
  }

  /// Channels, height and width of an input.
  /// - Throws: `RecipeError` where inputs are not images.
  public func requireImage() throws -> (channels: Int, height: Int, width: Int) {
    guard inputShape.count == 3 else { throw RecipeError.needsImages(title, found: inputShape) }
    return (inputShape[0], inputShape[1], inputShape[2])
  }
}

/// Something about a recipe that cannot work: what was found, what was expected, what to do. One sentence.
public struct RecipeError: Error, CustomStringConvertible, Equatable {
  public let description: String
  public init(_ description: String) { self.description = description }

  /// A part that another one cannot do without.
  public static func missing(_ what: String, for part: String, fix: String) -> RecipeError {
    RecipeError("\(part) needs \(what), which this recipe does not have; \(fix)")
  }

  /// Data without labels under a part that needs them.
  public static func needsLabels(_ part: String) -> RecipeError {
    RecipeError("\(part) needs labels, and the data have none; choose a labelled dataset")
  }

  /// Rows of numbers under a part that needs images.
  public static func needsImages(_ part: String, found shape: [Int]) -> RecipeError {
    RecipeError("\(part) needs images [channels, height, width], found inputs of shape \(shape); choose a part for rows of numbers, an mlp say")
  }
}
