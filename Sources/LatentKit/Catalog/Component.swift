/// A part that is made from a recipe: from its settings, in the context of the data and of the parts before it.
///
/// A component is one type: its configuration, what it stores, its init and its verb. Components are built in the order of
/// `Slot.all`: encoder, prior, decoder, classifier, discriminator, noise, sampler, metrics, then the losses of each step.
public protocol Component: SendableMetatype {
  /// The settings.
  associatedtype Config: ComponentConfig

  /// Creates the part.
  ///
  /// - Throws: `RecipeError` where the configuration cannot work with the data or with the other parts.
  init(_ config: Config, in context: BuildContext) throws
}

/// The context in which a component is built.
public struct BuildContext {
  /// The shape of one input: `[channels, height, width]` for images, `[features]` for tables.
  public var inputShape: [Int]
  /// The smallest and largest value that inputs can take, `0...1` say; nil when they have no bounds.
  public var inputRange: ClosedRange<Double>?
  /// The pixels of padding on each side of an image.
  public var padding: Int
  /// What rows of numbers were made of, as `InputDescription` has it; empty for images.
  public var inputUnits = ""
  /// The number of classes; nil without labels.
  public var classCount: Int?
  /// The class names in order; nil where classes have numbers only.
  public var classNames: [String]?
  /// The length of a latent vector; 0 while the encoder itself is built.
  public var latentSize: Int
  /// The scope for the component's parameters.
  public var scope: Scope
  /// The component's title in messages: `encoder 'resnet'`.
  public var title: String
  /// The values cached in earlier builds by the same composer.
  public var memory: BuildMemory
  /// The encoder; nil until it is built.
  public var encoder: (any Encoder)?
  /// The parts built so far; nil until there are an encoder and a prior.
  public var model: Model?
  /// How many examples the training part has; nil where that is not known.
  public var trainingCount: Int?
  /// Told, in a sentence, what will take long or much memory, before it begins.
  public var announce: (String) -> Void
  /// Opens a finished run by the path of its folder; nil where there is no way to. Parts call `trainedModel`.
  public var openRun: ((String) throws -> TrainedModel)?

  /// Creates a context.
  public init(
    inputShape: [Int], inputRange: ClosedRange<Double>? = nil, padding: Int = 0, classCount: Int? = nil,
    latentSize: Int = 0, scope: Scope, title: String = "part", memory: BuildMemory = BuildMemory(),
    encoder: (any Encoder)? = nil, model: Model? = nil, trainingCount: Int? = nil,
    announce: @escaping (String) -> Void = { _ in }
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
    self.trainingCount = trainingCount
    self.announce = announce
  }

  /// The device of the model.
  public var device: Device { scope.device }
  /// The type of the model's parameters.
  public var dtype: DType { scope.dtype }
  /// The seed of the run.
  public var seed: UInt64 { scope.seed }

  /// The number of values in one input.
  public var inputSize: Int { inputShape.reduce(1, *) }

  /// Returns the number of classes.
  /// - Throws: `RecipeError` where the data have no labels.
  public func requireClasses() throws -> Int {
    guard let classCount else { throw RecipeError.needsLabels(title) }
    return classCount
  }

  /// Returns channels, height and width of an input.
  /// - Throws: `RecipeError` where inputs are not images.
  public func requireImage() throws -> (channels: Int, height: Int, width: Int) {
    guard inputShape.count == 3 else { throw RecipeError.needsImages(title, found: inputShape) }
    return (inputShape[0], inputShape[1], inputShape[2])
  }

  /// Checks that inputs are known to lie from 0 to 1.
  /// - Throws: `RecipeError` where they are not.
  public func requireUnitInputs() throws {
    if let range = inputRange, range.lowerBound >= 0, range.upperBound <= 1 { return }
    let found = inputRange.map { "\($0.lowerBound) to \($0.upperBound)" } ?? "without bounds"
    let advice = inputShape.count == 3 ? "set data.range=unit" : "add transform min-max"
    throw RecipeError("\(title) needs inputs from 0 to 1, found inputs \(found); \(advice), or choose another loss")
  }
}

/// A recipe that cannot work: one sentence with what was found, what was expected and what to do.
public struct RecipeError: Error, CustomStringConvertible, Equatable {
  /// One sentence: found, expected, what to do.
  public let description: String
  /// Whether a part failed by itself, so that trained weights would not help: it is refused before training.
  public let isDefect: Bool
  /// Creates an error from one sentence.
  ///
  /// - Parameter isDefect: Whether a part failed by itself, whatever latents it was given.
  public init(_ description: String, isDefect: Bool = false) {
    (self.description, self.isDefect) = (description, isDefect)
  }

  /// Returns the error for a missing part that another one needs.
  public static func missing(_ what: String, for part: String, fix: String) -> RecipeError {
    RecipeError("\(part) needs \(what), which this recipe does not have; \(fix)")
  }

  /// Returns the error for data without labels under a part that needs them.
  public static func needsLabels(_ part: String) -> RecipeError {
    RecipeError("\(part) needs labels, and the data have none; choose a labelled dataset")
  }

  /// Returns the error for rows of numbers under a part that needs images.
  public static func needsImages(_ part: String, found shape: [Int]) -> RecipeError {
    RecipeError(
      "\(part) needs images [channels, height, width], found inputs of shape \(shape); choose a part for rows of numbers, an mlp say"
    )
  }
}
