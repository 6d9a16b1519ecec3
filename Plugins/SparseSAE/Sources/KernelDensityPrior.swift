import Foundation
import LatentKit
import Statistics

/// The kernel density of the training latents, of each class where they have labels (Barlaud & Guyard 2021, section 2.1):
///
/// `p_y(z) = 1/n_y Σ_i N(z; z_i, h_y² Σ_y)`, and without a label `p(z) = Σ_y n_y/n p_y(z)`.
///
/// It is fitted at the end of each stage, and undefined before. A class whose latents do not spread gets the covariance of
/// all latents. With `covariance: full` a class agrees with SciPy's `gaussian_kde`, with `identity` with scikit-learn's
/// `KernelDensity`.
///
/// With `perClass: false` there is one density, whatever the label. Samplers of this plugin that are asked for a class then
/// estimate that class themselves, with the same settings (`EstimateSettings`).
///
/// - Shapes: latents `[count, latent]`, labels `[count]`; densities `[count]`.
/// - Throws: `RecipeError` before it has learned, and for a class without training latents.
public final class KernelDensityPrior: DirectPrior, FittablePrior, Component {
  public struct Config: ComponentConfig {
    @Setting(
      "Width of the kernels, in deviations of their covariance: scott, silverman, cross-validated, or a number.",
      .within(1e-9...1e9), usually: .within(1e-3...1e3))
    public var bandwidth = Bandwidth.scott
    @Setting("Their shape: full, diagonal, scalar, or identity, for which the bandwidth is the width itself.")
    public var covariance = KernelShape.full
    @Setting(
      "One density for each class, where there are labels. If not, mh, kde and gibbs estimate a class that is asked for."
    )
    public var perClass = true
    @Setting("Parts for a cross-validated bandwidth; 0: one latent each (leave-one-out).", .within(0...1e9))
    public var folds = 0
    public init() {}
  }

  private let config: Config
  private let title: String
  private var fitted: Fit?

  private struct Fit {
    /// Nil as label: the density of everything.
    let classes: [(label: Int?, density: KernelDensity, share: Double)]
    let dtype: DType
    let device: Device
  }

  public init(_ config: Config, in context: BuildContext) throws {
    guard config.folds == 0 || config.folds >= 2 else {
      throw RecipeError("\(context.title): folds is \(config.folds), expected 0 or at least 2")
    }
    (self.config, title) = (config, context.title)
    EstimateSettings.announceCovariances(in: context)
  }

  public func fit(_ latents: LatentSet, using generator: inout Generator) throws {
    let latents = config.perClass ? try latents.withLabels() : latents
    let all = latents.latents
    guard try all.size(0) > 0, try all.isFinite().all() else {
      throw RecipeError(
        "\(title) found training latents that are not finite; the encoder diverged: train it at a lower rate")
    }
    let labels = config.perClass ? try latents.labels?.ints() : nil
    let whole = try Moments(of: all)
    guard try config.covariance == .identity || !whole.isPoint else {
      throw RecipeError(
        "\(title) found training latents that are all the same; the encoder collapsed: train it otherwise")
    }
    let groups: [(Int?, Tensor)] =
      if let labels {
        try Set(labels).sorted().map { ($0, try latents.latents(of: $0)) }
      } else {
        [(nil, all)]
      }
    fitted = Fit(
      classes: try groups.map { label, points in
        let isPoint = try Moments(of: points).isPoint
        let density = try KernelDensity(
          of: points, bandwidth: config.bandwidth, shape: config.covariance, folds: config.folds,
          covariance: isPoint ? whole.covariance : nil)
        return try (label, density, Double(points.size(0)) / Double(all.size(0)))
      }, dtype: all.dtype, device: all.device)
  }

  public func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    let fit = try requireFit()
    guard let labels, try knowsClasses else {
      let each = try fit.classes.map { try $0.density.logDensity(latents) + log($0.share) }
      return try Tensor.stack(each).logSumExp(axis: 0).to(latents.dtype, latents.device)
    }
    var result = try Tensor.zeros([latents.size(0)], dtype: latents.dtype, device: latents.device)
    for label in try Set(labels.ints()) {
      let places = try (labels .== Double(label)).nonzero().squeezed(1).to(latents.device)
      let values = try density(of: label).logDensity(latents.rows(places))
      result = try result.addingRows(places, values.to(latents.dtype, latents.device))
    }
    return result
  }

  public func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    let follows = try request.labels != nil && knowsClasses
    return Draw(latents: try draw(request.count, request.labels, using: &generator), followsLabels: follows)
  }

  private func draw(_ count: Int, _ labels: Tensor?, using generator: inout Generator) throws -> Tensor {
    let fit = try requireFit()
    let isLabelled = try knowsClasses
    let wanted: [Int?]
    if isLabelled, let labels {
      wanted = try labels.ints()
    } else {
      let shares = try Tensor(fit.classes.map(\.share)).to(generator.device)
      wanted = try count == 0 ? [] : generator.choices(shares, count: count).ints().map { fit.classes[$0].label }
    }
    var rows: [Tensor] = []
    var order: [Int] = []
    for label in Set(wanted).sorted(by: { ($0 ?? 0) < ($1 ?? 0) }) {
      let places = wanted.indices.filter { wanted[$0] == label }
      rows.append(try density(of: label).draw(places.count, using: &generator))
      order += places
    }
    guard !rows.isEmpty else { return try .zeros([0, fit.classes[0].density.whitened.size(1)]) }
    let back = try Tensor(order.map(Int64.init)).sorted(axis: 0).indices
    return try Tensor.concatenate(rows).rows(back).to(fit.dtype, fit.device)
  }

  /// Whether each class has a density of its own.
  ///
  /// - Throws: `RecipeError` before the prior has learned.
  public var knowsClasses: Bool { get throws { try requireFit().classes.first?.label != nil } }

  /// An estimate of other latents, `[count, latent]`, with the settings of this prior.
  ///
  /// - Throws: `RecipeError` for latents that are all the same.
  func estimate(_ points: Tensor) throws -> KernelDensity {
    try KernelDensity(of: points, bandwidth: config.bandwidth, shape: config.covariance, folds: config.folds)
  }

  /// The density of a class; of everything, where the prior knows no classes.
  public func density(of label: Int?) throws -> KernelDensity {
    let classes = try requireFit().classes
    if let only = classes.first, only.label == nil { return only.density }
    guard let found = classes.first(where: { $0.label == label }) else {
      throw RecipeError(
        "\(title) has no training latents of \(label.map { "class \($0)" } ?? "no class"); ask for classes that the data have"
      )
    }
    return found.density
  }

  private func requireFit() throws -> Fit {
    guard let fitted else {
      throw RecipeError(
        "\(title) has learned nothing yet: it is fitted at the end of a stage; use its density in a later stage, or train first"
      )
    }
    return fitted
  }
}
