import LatentKit
import Statistics

/// How samplers choose the densities that they draw from, and estimate those of training latents.
struct EstimateSettings {
  var target: WalkTarget
  var bandwidth: Bandwidth
  var shape: KernelShape
  /// Kernels of a class at most.
  var maximumPoints: Int?

  /// A kernel density for each class of a request.
  ///
  /// - `auto`: the prior's of the class where it is prior `kde`. One that knows no classes (`perClass: false`) gives its
  ///   density to a request without labels; for a class that is asked for, the class's training latents are estimated with
  ///   the bandwidth, covariance and folds of that prior.
  /// - `prior`: the prior's, even where it knows no classes.
  /// - `kde`, and where the prior is another one: estimates of the training latents by these settings.
  func targets(
    _ requests: [ClassRequest], of request: DrawRequest, using generator: inout Generator
  ) throws -> [ClassTarget<KernelDensity>] {
    let prior = kernelPrior(request.prior)
    let isOwn = try prior.map { try usesDensities(of: $0, for: request) } ?? false
    return try requests.map { request in
      let count = try request.training.size(0)
      let order = try generator.permutation(count).slice(0..<min(count, maximumPoints ?? count))
      let points = try request.training.rows(order.to(request.training.device))
      if let prior, isOwn {
        return ClassTarget(request: request, points: points, density: try prior.density(of: request.label))
      }
      let isPoint = try Moments(of: points).isPoint
      return ClassTarget(
        request: request, points: points,
        density: isPoint
          ? nil : try prior?.estimate(points) ?? KernelDensity(of: points, bandwidth: bandwidth, shape: shape))
    }
  }

  /// Says how much memory covariances take, where that is much.
  static func announceCovariances(in context: BuildContext) {
    let (classes, latent) = (context.classCount ?? 1, Double(context.latentSize))
    // The covariance, its factor and what whitens moves, in Float64.
    let bytes = Double(classes) * latent * latent * 8 * 3
    guard bytes > Double(1 << 29) else { return }
    let seconds =
      Double(classes)
      * (latent * latent * latent + 2 * Double(context.trainingCount ?? 0) / Double(classes) * latent * latent) / 1e10
    context.announce(
      "\(context.title): kernel densities of \(classes) classes in \(context.latentSize) dimensions take \(gibibytes(bytes)) "
        + "and \(roughTime(seconds)) each time that they are estimated; lower encoder.latent if that is too much")
  }

  /// Says how long chains take and how much memory, where that is much.
  ///
  /// - Parameters:
  ///   - steps: Of each chain, with its warm-up.
  ///   - kept: Steps whose places are kept.
  ///   - evaluations: How often a step looks at all kernels.
  func announceChains(_ chains: Int, steps: Int, kept: Int, evaluations: Double, in context: BuildContext) {
    let (classes, latent) = (context.classCount ?? 1, Double(context.latentSize))
    let all = context.trainingCount ?? 0
    let kernels = maximumPoints.map { min(all, classes * min($0, all)) } ?? all
    // A distance and an exponential for each chain and kernel of its class, of which 64 take as long as fewer; what each chain
    // takes besides, and what a step takes whatever its size.
    let pairs = Double(chains) * max(Double(kernels), 64 * Double(classes))
    let each = pairs * (2 * latent / 2e10 + 1 / 3e8) + Double(chains * classes) * (5e-8 + 4e-9 * latent) + 5e-4
    let (seconds, bytes) = (Double(steps) * each * evaluations, 4 * Double(chains) * Double(kept) * latent)
    guard seconds > 60 || bytes > Double(1 << 30) else { return }
    context.announce(
      "\(context.title): \(steps) steps of \(chains) chains over \(kernels) kernels take \(roughTime(seconds)) whenever samples "
        + "are drawn, and \(gibibytes(bytes)) for each class; lower sampler.steps, or set sampler.maximumPoints, if that is too much"
    )
  }

  /// A sentence about settings of the sampler that differ from their defaults and that the prior's kernels overrule.
  func problems(with request: DrawRequest) throws -> [String] {
    guard let prior = kernelPrior(request.prior) else { return [] }
    var overruled: [String] = []
    if bandwidth != .scott { overruled.append("sampler.bandwidth") }
    if shape != .full { overruled.append("sampler.covariance") }
    if maximumPoints != nil, try usesDensities(of: prior, for: request) { overruled.append("sampler.maximumPoints") }
    guard !overruled.isEmpty else { return [] }
    return [
      """
      \(overruled.joined(separator: ", ")) had no effect, as draws follow the kernels of prior 'kde'; set sampler.target to kde \
      to use your own, or set those of the prior
      """
    ]
  }

  /// Whether draws are of the classes that a request names.
  func followsLabels(of request: DrawRequest) throws -> Bool {
    guard request.labels != nil else { return false }
    return try target == .prior ? kernelPrior(request.prior)?.knowsClasses ?? false : true
  }

  /// - Throws: `RecipeError` where kernels of the prior are wanted and it has none.
  func check(_ prior: any Prior, _ title: String) throws {
    guard target != .prior || prior is KernelDensityPrior else {
      throw RecipeError(
        "\(title): target is prior, and the model's prior has no kernels to draw from; choose prior kde, target auto, or sampler mh"
      )
    }
  }

  private func kernelPrior(_ prior: any Prior) -> KernelDensityPrior? {
    target == .kde ? nil : prior as? KernelDensityPrior
  }

  private func usesDensities(of prior: KernelDensityPrior, for request: DrawRequest) throws -> Bool {
    try target == .prior || request.labels == nil || prior.knowsClasses
  }
}
