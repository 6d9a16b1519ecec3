import LatentKit

/// The sum of the magnitudes of each weight tensor, `Σ |w| ≤ radius`: the nearest point of it, with zeros anywhere (Condat
/// 2016, *Fast projection onto the simplex and the l1 ball*).
///
/// - Throws: `RecipeError` where the radius is negative; `TensorError` where weights are not finite.
public struct L1Ball: NearestPointConstraint, Component {
  public struct Config: ComponentConfig {
    @Setting(Ball.radiusHelp, .within(0...1e30)) public var radius = 1000.0
    public init() {}
  }

  private let radius: Double

  public init(_ config: Config, in context: BuildContext) throws {
    radius = try Ball.checked(config.radius, of: context)
  }

  public func project(_ weights: Tensor) throws { try weights.projectInPlace(onto: .l1, radius: radius) }
}

/// The sum of the magnitudes again, by Algorithm 1 of Barlaud & Guyard 2021, which first shares the radius among groups:
///
///     t = proj_l1((‖v_g‖₁)_g, radius),  w_g = proj_l1(v_g, t_g)
///
/// Groups with a small norm become zero as a whole. The result is in the l1,1 ball, which is the l1 ball of all weights, but
/// is not its nearest point: that is what `l1-ball` gives.
///
/// - Throws: `RecipeError` where the radius is negative; `TensorError` where weights are not finite.
public struct L11Ball: Constraint, Component {
  public typealias Config = GroupedBallConfig
  private let ball: Ball
  public init(_ config: Config, in context: BuildContext) throws { ball = try Ball(.l11, config, in: context) }
  public func project(_ weights: Tensor) throws { try ball.project(weights) }
}

/// The l1,2 norm, that of the exclusive or elitist lasso: `√(Σ_g (Σ_i |w_gi|)²) ≤ radius` (Kowalski & Torrésani 2009; its
/// square in Barlaud, Chambolle & Caillau 2020). The nearest point of it; every group that had weights keeps some.
///
/// - Throws: `RecipeError` where the radius is negative; `TensorError` where weights are not finite.
public struct L12Ball: NearestPointConstraint, Component {
  public typealias Config = GroupedBallConfig
  private let ball: Ball
  public init(_ config: Config, in context: BuildContext) throws { ball = try Ball(.l12, config, in: context) }
  public func project(_ weights: Tensor) throws { try ball.project(weights) }
}

/// The l2,1 norm, that of the group lasso: `Σ_g √(Σ_i w_gi²) ≤ radius` (Liu, Ji & Ye 2009). The nearest point of it: the norms
/// of the groups are projected onto the l1 ball, and each group is scaled to its own. Groups become zero as a whole only.
///
/// - Throws: `RecipeError` where the radius is negative; `TensorError` where weights are not finite.
public struct L21Ball: NearestPointConstraint, Component {
  public typealias Config = GroupedBallConfig
  private let ball: Ball
  public init(_ config: Config, in context: BuildContext) throws { ball = try Ball(.l21, config, in: context) }
  public func project(_ weights: Tensor) throws { try ball.project(weights) }
}

/// The settings of a ball whose norm has groups.
public struct GroupedBallConfig: ComponentConfig {
  @Setting(Ball.radiusHelp, .within(0...1e30)) public var radius = 1000.0
  /// The authors' code projects columns, though the paper says rows: a group is then an input, and features can vanish.
  @Setting("columns: all weights of an input, so that inputs vanish; rows: all weights of an output.")
  public var groups = WeightGroups.columns
  public init() {}
}

extension WeightGroups: Choice {}

/// The common part of the balls.
struct Ball {
  static let radiusHelp = "The largest norm that each weight tensor may have, 0 or more."

  private let ball: NormBall
  private let radius: Double
  private let groups: WeightGroups

  init(_ ball: NormBall, _ config: GroupedBallConfig, in context: BuildContext) throws {
    (self.ball, groups) = (ball, config.groups)
    radius = try Ball.checked(config.radius, of: context)
  }

  func project(_ weights: Tensor) throws { try weights.projectInPlace(onto: ball, radius: radius, groups: groups) }

  static func checked(_ radius: Double, of context: BuildContext) throws -> Double {
    guard radius >= 0, radius.isFinite else {
      throw RecipeError("\(context.title): radius is \(radius), expected a finite number, 0 or more")
    }
    return radius
  }
}
