import Foundation
import LatentKit

extension Mapping where Role == any Prior {
  static var prior: Self {
    Mapping(
      key: .prior, verb: "logDensity", kinds: [[.rows]],
      apply: { prior, sample in
        try [prior.logDensity(sample.values, labels: nil)]
          + (sample.labels.map { [try prior.logDensity(sample.values, labels: $0)] } ?? [])
      }, sample: latents, shape: { _ in [] }, extremes: extremeLatents,
      areValid: { outputs in
        try outputs.allSatisfy { try !$0.isNaN().any() && !($0 .== .infinity).any() }
      }, prepare: { try fit($0.part, $0.world, device: $0.scope.device) })
  }

  /// Fits a prior that is fitted to latents in one cluster for each class.
  static func fit(_ prior: any Prior, _ world: World, device: Device) throws {
    guard let prior = prior as? any FittablePrior else { return }
    try prior.fit(clusters(world, 90, device: device), seed: 1)
  }

  /// Latents in one cluster for each class, at the corners of a box of sides 4.
  static func clusters(_ world: World, _ count: Int, seed: UInt64 = 3, device: Device = .cpu) throws -> LatentSet {
    let batch = try world.latents(count, seed: seed, device: device)
    var places: [Float] = []
    for row in 0..<count {
      let corner = row % (world.classCount ?? 1)
      for axis in 0..<world.latentSize { places.append((corner >> axis) & 1 == 1 ? 2 : -2) }
    }
    let corners = try Tensor(places, shape: [count, world.latentSize]).to(device)
    return LatentSet(latents: try batch.latents * 0.5 + corners, labels: batch.labels)
  }

  static var ownChecks: [Check] {
    [classes, normalised, draws, follows, divergence, beforeFit, fits, online]
  }

  static func check(
    _ name: String, _ fact: String, in world: World = .smallRows,
    _ body: @escaping @Sendable (Subject<any Prior>, any Prior) throws -> Verdict
  ) -> Check {
    Check(.prior, name, fact) { part in
      let subject = try Subject(SlotKey.prior, part)
      return try withoutGradients { try body(subject, prior.make(subject, world).part) }
    }
  }

  private static var classes: Check {
    check(
      "classes",
      "The density depends on labels if and only if the prior says that it knows classes; centroids have their shape."
    ) {
      subject, prior in
      let world = World.smallRows
      let latents = try world.latents(8, seed: subject.seed, device: subject.device).latents
      let (zero, one) = (
        try Tensor(Array(repeating: Int64(0), count: 8)), try Tensor(Array(repeating: Int64(1), count: 8))
      )
      let differs = try !sameBits(
        [prior.logDensity(latents, labels: zero.to(subject.device))],
        [prior.logDensity(latents, labels: one.to(subject.device))])
      let knows = try prior.knowsClasses
      try require(
        differs == knows,
        knows
          ? "it says that it knows classes, and two of them have the same density"
          : "labels change the density, and it says that it knows no classes")
      if let prior = prior as? any CentroidPrior {
        let centroids = try prior.centroids
        try require(
          centroids.rank == 2 && centroids.shape[0] >= (world.classCount ?? 0)
            && centroids.shape[1] == world.latentSize,
          "centroids have the shape \(centroids.shape), expected [3 or more, \(world.latentSize)]")
        if let scale = prior.scale {
          let norms = try centroids.square().sum(axis: 1).sqrt().doubles()
          try require(
            norms.allSatisfy { abs($0 - scale) <= 1e-3 * scale },
            "scale is \(short(scale)), and centroids have the lengths \(norms.map(short))")
        }
      }
      return .passed
    }
  }

  /// Where a prior has its mass: draws where it can be drawn from, else the latents that it was fitted to.
  private static func place(
    _ prior: any Prior, _ labels: Tensor?, _ subject: Subject<any Prior>, in world: World = .smallRows
  ) throws -> Tensor {
    guard let prior = prior as? any DirectPrior else {
      return prior is any FittablePrior
        ? try clusters(world, 90).latents : try world.latents(500, seed: subject.seed).latents
    }
    var generator = try Generator(seed: subject.seed, for: "draws of checks", device: subject.device)
    let request = DrawRequest(
      labels: labels, count: labels?.count ?? 4000, latentSize: world.latentSize, prior: prior)
    return try prior.draw(request, using: &generator).latents
  }

  /// Calls `body` with the labels of 4000 draws: none, then each class where the prior knows classes.
  private static func eachClass(_ prior: any Prior, _ device: Device, _ body: (Int?, Tensor?) throws -> Void) throws {
    try body(nil, nil)
    guard try prior.knowsClasses else { return }
    for label in 0..<3 { try body(label, Tensor(Array(repeating: Int64(label), count: 4000)).to(device)) }
  }

  private static func density(_ prior: any Prior, _ points: Tensor, _ label: Int?, _ device: Device) throws -> Tensor {
    let labels = try label.map { try Tensor(Array(repeating: Int64($0), count: points.size(0))).to(device) }
    return try prior.logDensity(points.to(device), labels: labels)
  }

  private static var normalised: Check {
    check(
      "normalised",
      "The density integrates to one in two dimensions and in three, unless the prior is an UnnormalizedPrior."
    ) {
      subject, prior in
      if prior is any UnnormalizedPrior { return .skipped("it is an UnnormalizedPrior") }
      func check(_ prior: any Prior, in world: World, within tolerance: Double) throws {
        try eachClass(prior, subject.device) { label, labels in
          func masses(_ cells: Quadrature) throws -> Tensor {
            try cells.masses(density(prior, cells.points, label, subject.device))
          }
          var cells = try Quadrature(around: place(prior, labels, subject, in: world))
          // Latents that a prior cannot draw need not lie where it has its mass.
          if !(prior is any DirectPrior) { cells = try cells.moved(to: masses(cells)) }
          let total = try masses(cells).sum().item()
          try require(
            abs(total - 1) < tolerance,
            "in \(world.latentSize) dimensions the density\(label.map { " of class \($0)" } ?? "") integrates to \(short(total)); expected 1, or an UnnormalizedPrior"
          )
        }
      }
      try check(prior, in: .smallRows, within: 0.03)
      // What a constant has to do with the number of dimensions shows in another one.
      let world = World.smallRows.with(latentSize: 3)
      if let other = try? Mapping.prior.make(subject, world).part { try check(other, in: world, within: 0.1) }
      return .passed
    }
  }

  private static var draws: Check {
    check(
      "draws",
      "Draws are as many as asked for, finite, of the model's type, follow the lent generator and nothing else."
    ) {
      subject, prior in
      guard let direct = prior as? any DirectPrior else { return .skipped("it is no DirectPrior") }
      let world = World.smallRows
      for count in [1, 7] {
        for labels in [nil, try world.labels(count, device: subject.device)] {
          let request = DrawRequest(labels: labels, count: count, latentSize: 2, prior: prior)
          func draw(_ seed: UInt64) throws -> Draw {
            var generator = try Generator(seed: seed, device: subject.device)
            return try direct.draw(request, using: &generator)
          }
          let one = try draw(1)
          try require(
            one.latents.shape == [count, 2],
            "\(count) draws have the shape \(one.latents.shape), expected [\(count), 2]")
          try require(
            one.latents.dtype == .float32 && one.latents.device == subject.device,
            "draws are \(one.latents.dtype) on \(one.latents.device)")
          try require(try areFinite([one.latents]), "draws are not finite")
          try require(labels != nil || !one.followsLabels, "draws are said to follow labels, and there were none")
          try require(
            try sameBits([one.latents], [draw(1).latents]), "the same generator gives other draws the second time")
          try require(
            try !sameBits([one.latents], [draw(2).latents]), "another seed of the generator gives the same draws")
        }
      }
      return .passed
    }
  }

  private static var follows: Check {
    check("draws-follow", "Draws are spread as the density says, whatever the class and of each class.") {
      subject, prior in
      guard prior is any DirectPrior else { return .skipped("it is no DirectPrior") }
      try eachClass(prior, subject.device) { label, labels in
        let draws = try place(prior, labels, subject)
        let quadrature = try Quadrature(around: draws)
        let masses = try quadrature.masses(density(prior, quadrature.points, label, subject.device))
        let excess = try quadrature.excess(of: draws, over: masses)
        try require(
          excess < 8,
          "4000 draws\(label.map { " of class \($0)" } ?? "") are not spread as the density: chi-squared is \(short(excess)) deviations too large"
        )
      }
      return .passed
    }
  }

  private static var divergence: Check {
    check("divergence", "The closed form of the divergence agrees with the integral.") { subject, prior in
      guard let analytic = prior as? any AnalyticPrior else { return .skipped("it is no AnalyticPrior") }
      for (mean, logVariance) in [([0.0, 0.0], [0.0, 0.0]), ([0.5, -1.0], [-1.0, 0.4])] {
        let (m, v) = (
          try Tensor(mean.map(Float.init), shape: [1, 2]), try Tensor(logVariance.map(Float.init), shape: [1, 2])
        )
        let closed = try analytic.divergence(mean: m.to(subject.device), logVariance: v.to(subject.device), labels: nil)
        try require(closed.shape == [1], "the divergence of one row has the shape \(closed.shape), expected [1]")
        var generator = try Generator(seed: subject.seed)
        let draws = try m + (v * 0.5).exp() * generator.normal([4000, 2])
        let quadrature = try Quadrature(around: draws)
        let log =
          try ((quadrature.points - m).square() / v.exp() + v + Foundation.log(2 * Double.pi)).sum(axis: 1) * -0.5
        let masses = try quadrature.masses(log)
        let gain = try log - density(prior, quadrature.points, nil, subject.device).to(.cpu)
        let integral = try (masses .> 1e-12).choose(masses * gain.to(.float64), masses * 0).sum().item()
        let value = try closed.doubles()[0]
        try require(
          abs(value - integral) < 0.02 * max(1, abs(integral)),
          "the divergence of N(\(mean), exp(\(logVariance))) is \(short(value)), and the integral gives \(short(integral))"
        )
      }
      return .passed
    }
  }
}
