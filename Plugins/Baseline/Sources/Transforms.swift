import LatentKit

/// Means over the rows of each column that are not NaN, `[features]`; NaN for a column without any.
private func columnMeans(_ inputs: Tensor) throws -> Tensor {
  let isMissing = try inputs.isNaN()
  let present = try isMissing.not().to(.float64).sum(axis: 0)
  return try inputs.to(.float64).filled(with: 0, where: isMissing).sum(axis: 0) / present
}

/// - Throws: `RecipeError` for inputs with missing values.
private func requireWhole(_ inputs: Tensor, _ title: String) throws {
  guard try inputs.isNaN().any() else { return }
  throw RecipeError("\(title) found missing values, expected none; put transform 'impute' before it")
}

/// Logarithms of counts and intensities.
///
/// `signed`, the default, is `sign(x) log(1 + |x|)`: it is odd, keeps the order of values of both signs, and can be taken
/// back. `author-code` is `log |x + 1|` as in the code of Barlaud & Guyard 2021: for values above −1 the logarithm of
/// `1 + x`; below, it goes up again as x falls, and −1 itself, where it is infinite, becomes `log 1e-6`. It is taken
/// back as if values had been above −1. Both are `log(1 + x)` for `x ≥ 0`.
///
/// - Shapes: `[count, features]` in and out.
public struct LogTransform: Transform, FittedTransform, Component {
  /// Which logarithm is taken.
  public enum Fidelity: String, Choice {
    case signed
    case authorCode = "author-code"
  }

  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("'signed' for sign(x) log(1 + |x|), which can be taken back; 'author-code' for log |x + 1|.")
    public var fidelity = Fidelity.signed
    public init() {}
  }

  private let config: Config

  public init(_ config: Config, in context: BuildContext) { self.config = config }

  /// There is nothing to learn.
  public func fit(_ inputs: Tensor) -> any FittedTransform { self }
  public func restore(_ parameters: FittedParameters) -> any FittedTransform { self }

  public var parameters: [String: Tensor] { [:] }

  public func apply(_ inputs: Tensor) throws -> Tensor {
    switch config.fidelity {
    case .signed: try inputs.sign() * inputs.abs().log1p()
    case .authorCode: try (inputs + 1).abs().clamped(1e-6).log()
    }
  }

  public func invert(_ outputs: Tensor) throws -> Tensor {
    switch config.fidelity {
    case .signed: try outputs.sign() * (outputs.abs().exp() - 1)
    case .authorCode: try outputs.exp() - 1
    }
  }
}

/// `x − mean`, column by column.
private struct CenteredColumns: FittedTransform {
  /// `[features]`.
  let mean: Tensor
  var parameters: [String: Tensor] { ["mean": mean] }

  func apply(_ inputs: Tensor) throws -> Tensor { try inputs - mean.to(inputs.device) }
  func invert(_ outputs: Tensor) throws -> Tensor { try outputs + mean.to(outputs.device) }
}

/// `x / deviation`, column by column.
private struct ScaledColumns: FittedTransform {
  /// `[features]`; never 0.
  let deviation: Tensor
  var parameters: [String: Tensor] { ["deviation": deviation] }

  func apply(_ inputs: Tensor) throws -> Tensor { try inputs / deviation.to(inputs.device) }
  func invert(_ outputs: Tensor) throws -> Tensor { try outputs * deviation.to(outputs.device) }
}

/// `(x − min) / (max − min)` in other bounds than 0 and 1, column by column.
private struct BoundedColumns: FittedTransform {
  /// The least and the greatest training value, `[features]`.
  let least: Tensor, greatest: Tensor
  let bounds: ClosedRange<Double>
  var parameters: [String: Tensor] { ["min": least, "max": greatest] }
  var outputRange: ClosedRange<Double>? { bounds }

  func apply(_ inputs: Tensor) throws -> Tensor {
    try ((inputs - least.to(inputs.device)) / divisor(on: inputs.device) + bounds.lowerBound)
      .clamped(bounds.lowerBound, bounds.upperBound)
  }

  func invert(_ outputs: Tensor) throws -> Tensor {
    try (outputs - bounds.lowerBound) * divisor(on: outputs.device) + least.to(outputs.device)
  }

  /// The values to divide by, `[features]`; 1 for a column of one value.
  private func divisor(on device: Device) throws -> Tensor {
    let spread = try (greatest.to(device) - least.to(device)) / (bounds.upperBound - bounds.lowerBound)
    return try spread.filled(with: 1, where: spread .== 0)
  }
}

/// Subtracts the mean of each column over the training part.
public struct CenterTransform: Transform, Component {
  public typealias Config = NoConfig
  public init(_ config: Config, in context: BuildContext) {}

  public func fit(_ inputs: Tensor) throws -> any FittedTransform {
    try requireWhole(inputs, "transform 'center'")
    return CenteredColumns(mean: try columnMeans(inputs).to(.float32))
  }

  public func restore(_ parameters: FittedParameters) throws -> any FittedTransform {
    CenteredColumns(mean: try parameters("mean"))
  }
}

/// Divides each column by its standard deviation over the training part (`1/n`, as scikit-learn's `StandardScaler`); a
/// column without spread stays as it is.
public struct ScaleTransform: Transform, Component {
  public typealias Config = NoConfig
  public init(_ config: Config, in context: BuildContext) {}

  public func fit(_ inputs: Tensor) throws -> any FittedTransform {
    try requireWhole(inputs, "transform 'scale'")
    let rows = try inputs.to(.float64)
    let deviations = try rows.variance(axes: [0], unbiased: false).sqrt()
    // What rounding leaves of a column of one value is no spread.
    let isFlat = try deviations .<= (rows.abs().max(axis: 0) * 1e-7)
    return ScaledColumns(deviation: try deviations.filled(with: 1, where: isFlat).to(.float32))
  }

  public func restore(_ parameters: FittedParameters) throws -> any FittedTransform {
    ScaledColumns(deviation: try parameters("deviation"))
  }
}

/// Maps each column's least and greatest training value to 0 and 1, or to other bounds. Values beyond them, which only
/// validation and test examples can have, are cut off; a column of one value becomes the lower bound.
public struct MinMaxTransform: Transform, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("What a column's least training value becomes.", .within(-1e30...1e30)) public var low = 0.0
    @Setting("What its greatest becomes; values beyond are cut off.", .within(-1e30...1e30)) public var high = 1.0
    public init() {}
  }

  private let config: Config

  /// - Throws: `RecipeError` for bounds that are not in order.
  public init(_ config: Config, in context: BuildContext) throws {
    guard config.low < config.high else {
      throw RecipeError("\(context.title): found low \(config.low) and high \(config.high), expected low below high")
    }
    self.config = config
  }

  public func fit(_ inputs: Tensor) throws -> any FittedTransform {
    try requireWhole(inputs, "transform 'min-max'")
    return BoundedColumns(
      least: try inputs.min(axis: 0), greatest: try inputs.max(axis: 0), bounds: config.low...config.high)
  }

  public func restore(_ parameters: FittedParameters) throws -> any FittedTransform {
    BoundedColumns(least: try parameters("min"), greatest: try parameters("max"), bounds: config.low...config.high)
  }
}

/// Fills in missing values by a number for each column, learned on the training part.
public struct ImputeTransform: Transform, Component {
  /// The replacement of a missing value.
  public enum Method: String, Choice { case mean, median, zero }

  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("The mean or median of the column's training values, or zero.") public var method = Method.median
    public init() {}
  }

  private let config: Config

  public init(_ config: Config, in context: BuildContext) { self.config = config }

  /// - Throws: `RecipeError` for a column without any training value.
  public func fit(_ inputs: Tensor) throws -> any FittedTransform {
    let present = try inputs.isNaN().not().to(.int64).sum(axis: 0)
    if config.method != .zero, let empty = try present.ints().firstIndex(of: 0) {
      throw RecipeError(
        "transform 'impute' found no training value in column \(empty + 1), expected one or more for its "
          + "\(config.method.rawValue); drop that column, or set method: zero")
    }
    let values =
      switch config.method {
      case .zero: try Tensor.zeros([inputs.size(1)])
      case .mean: try columnMeans(inputs).to(.float32)
      case .median: try medians(inputs, counts: present)
      }
    return FilledColumns(values: values)
  }

  public func restore(_ parameters: FittedParameters) throws -> any FittedTransform {
    FilledColumns(values: try parameters("value"))
  }

  /// The middle value of each column, or the mean of the two in the middle. NaN sort to the end.
  private func medians(_ inputs: Tensor, counts: Tensor) throws -> Tensor {
    let (sorted, counts) = (try inputs.sorted(axis: 0).values, try counts.ints())
    func middle(_ place: (Int) -> Int) throws -> Tensor {
      try sorted.gathered(Tensor(counts.map { Int64(place($0)) }, shape: [1, counts.count]), axis: 0).squeezed(0)
    }
    return try (middle { ($0 - 1) / 2 } + middle { $0 / 2 }) / 2
  }
}

private struct FilledColumns: FittedTransform {
  let values: Tensor
  var parameters: [String: Tensor] { ["value": values] }

  func apply(_ inputs: Tensor) throws -> Tensor {
    let isMissing = try inputs.isNaN()
    return try inputs.filled(with: 0, where: isMissing) + isMissing.to(.float32) * values.to(inputs.device)
  }

  /// Nothing says which values were missing: all stay.
  func invert(_ outputs: Tensor) -> Tensor { outputs }
}
