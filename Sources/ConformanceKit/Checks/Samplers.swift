import Foundation
import LatentKit

enum SamplerChecks {
  static let all = [counts, generator, references, gaussian, choices, modes, box, labels, settings]

  /// A sampler with a request that it takes.
  private struct Bench {
    let subject: Subject<any Sampler>
    let target: Target
    let reference: LatentSet
    var device: Device { subject.device }

    init(_ part: PartUnderTest, _ kind: Target.Kind) throws {
      (subject, target) = (try Subject(SlotKey.sampler, part), Target.made(kind))
      reference = try target.reference(1000, seed: part.seed, device: part.device)
    }

    /// The priors to try: the target, then the companion that the sampler names.
    func sampler(_ settings: [String: Value] = [:]) throws -> any Sampler {
      let world = World(inputShape: [6], inputRange: nil, classCount: target.kind == .modes ? 2 : 3, latentSize: 2)
      let sampler = try subject.make(in: world, settings, changing: { $0.prior = target.prior }).part
      if let selective = sampler as? any SelectiveSampler { try selective.check(target.prior) }
      return sampler
    }

    func draw(
      _ sampler: any Sampler, _ count: Int, labels: Tensor? = nil, reference: LatentSet? = nil, seed: UInt64 = 1,
      isRehearsal: Bool = false
    ) throws -> Draw {
      var generator = try Generator(seed: seed, for: "draws of checks", device: device)
      var request = DrawRequest(
        labels: labels, count: count, latentSize: 2, prior: target.prior, reference: reference ?? self.reference)
      request.isRehearsal = isRehearsal
      return try withoutGradients { try sampler.draw(request, using: &generator) }
    }
  }

  private static func check(
    _ name: String, _ fact: String, _ kind: Target.Kind,
    _ body: @escaping @Sendable (Bench, any Sampler) throws -> Verdict
  ) -> Check {
    Check(.sampler, name, fact) { part in
      let bench = try Bench(part, kind)
      let sampler: any Sampler
      do { sampler = try bench.sampler() } catch let refusal as RecipeError {
        return .skipped("it refuses the check's prior: \(refusal)")
      }
      return try body(bench, sampler)
    }
  }

  private static var counts: Check {
    check(
      "counts", "There are as many draws as asked for, finite, of the model's type and device, in a rehearsal too.",
      .modes
    ) {
      bench, sampler in
      for isRehearsal in [false, true] {
        for count in [1, 7] {
          for labels in [nil, try Tensor((0..<count).map { Int64($0 % 2) }).to(bench.device)] {
            let draw = try bench.draw(sampler, count, labels: labels, isRehearsal: isRehearsal)
            try require(
              draw.latents.shape == [count, 2],
              "\(count) draws have the shape \(draw.latents.shape), expected [\(count), 2]")
            try require(
              draw.latents.dtype == .float32 && draw.latents.device == bench.device,
              "draws are \(draw.latents.dtype) on \(draw.latents.device), expected float32 on \(bench.device)")
            try require(try areFinite([draw.latents]), "draws are not finite")
            try require(labels != nil || !draw.followsLabels, "draws are said to follow labels, and there were none")
            try require(!draw.latents.requiresGradient, "draws keep a record for gradients")
          }
        }
      }
      return .passed
    }
  }

  private static var generator: Check {
    check(
      "same-seed", "Draws follow the lent generator and nothing else, and leave the training latents as they are.",
      .gaussian
    ) {
      bench, sampler in
      let before = try bench.reference.latents.clone()
      let one = try bench.draw(sampler, 40)
      try require(
        try sameBits([one.latents], [bench.draw(sampler, 40).latents]),
        "the same generator gives other draws the second time")
      try require(
        try sameBits([one.latents], [bench.draw(bench.sampler(), 40).latents]),
        "two samplers of one seed give different draws")
      try require(
        try !sameBits([one.latents], [bench.draw(sampler, 40, seed: 2).latents]),
        "another seed of the generator gives the same draws")
      try require(try sameBits([before], [bench.reference.latents]), "a draw changes the training latents")
      return .passed
    }
  }

  private static var references: Check {
    check(
      "references",
      "With few, equal, partly labelled or no training latents a sampler draws of the class asked for, or refuses.",
      .modes
    ) {
      bench, sampler in
      let all = bench.reference
      let mask = try Tensor((0..<1000).map { Int64($0 / 2 % 2) }).to(bench.device) .== 1
      // Where a label is hidden there stands a 0, or anything.
      func half(_ stand: Double) throws -> LatentSet {
        let labels = try all.labels.map { try mask.choose($0, $0.filled(with: stand)) }
        return LatentSet(latents: all.latents, labels: labels, labelled: mask)
      }
      let few = LatentSet(latents: try all.latents.slice(0..<2), labels: try all.labels?.slice(0..<2))
      let empty = LatentSet(latents: try all.latents.slice(0..<0), labels: try all.labels?.slice(0..<0))
      let left = try all.latents(of: 0)
      let oneClass = LatentSet(
        latents: left, labels: try Tensor(Array(repeating: Int64(0), count: left.size(0))).to(bench.device))
      let cases: [(String, LatentSet)] = [
        ("no training latents", empty), ("one of each class", few),
        ("no labels", LatentSet(latents: all.latents, labels: nil)),
        ("half of the labels", try half(0)),
        ("one class only", oneClass),
        ("equal training latents", LatentSet(latents: try all.latents.filled(with: 1), labels: all.labels)),
      ]
      for (name, set) in cases {
        for labels in [nil, try Tensor([0, 1, 0, 1] as [Int64]).to(bench.device)] {
          do {
            if name == "half of the labels" {
              let wanted = try labels.map { try Tensor.concatenate(Array(repeating: $0, count: 10)) }
              let draws = try [set, half(1)].map { try bench.draw(sampler, 40, labels: wanted, reference: $0).latents }
              try require(try sameBits([draws[0]], [draws[1]]), "what stands at hidden labels changes the draws")
            }
            let draw = try bench.draw(sampler, 4, labels: labels, reference: set)
            try require(draw.latents.shape == [4, 2], "with \(name), 4 draws have the shape \(draw.latents.shape)")
            try require(try areFinite([draw.latents]), "with \(name), draws are not finite")
            guard draw.followsLabels, draw.warnings.isEmpty, name != "equal training latents" else { continue }
            let areRight = try draw.latents.select(0, axis: 1).doubles().map { $0 > 0 }
            try require(
              areRight == [false, true, false, true],
              "with \(name), draws are said to follow labels, and lie at another class than the request names")
          } catch is RecipeError {} catch let error as TensorError {
            throw Fault("with \(name), libtorch refuses it: \(error)")
          }
        }
      }
      return .passed
    }
  }

  /// Draws many, and compares their moments with the target's.
  private static func moments(_ bench: Bench, _ sampler: any Sampler, labels: Tensor? = nil) throws -> (Draw, Verdict) {
    let draw = try bench.draw(sampler, 2000, labels: labels)
    guard let fault = try bench.target.fault(of: draw.latents) else { return (draw, .passed) }
    return (
      draw,
      draw.warnings.isEmpty
        ? .failed("\(fault), and no warning says so") : .warning("\(fault); it warns: \(draw.warnings[0])")
    )
  }

  private static var gaussian: Check {
    check("gaussian", "Draws have the moments of a correlated Gaussian, or a warning says that they do not.", .gaussian)
    {
      try moments($0, $1).1
    }
  }

  private static var choices: Check {
    Check(
      .sampler, "choices",
      "With each choice of a setting too, draws have the moments of a Gaussian, or a warning says that they do not."
    ) { part in
      let bench = try Bench(part, .gaussian)
      var verdict: Verdict?
      for settings in bench.subject.choices {
        do {
          let next = try moments(bench, bench.sampler(settings)).1
          if case .failed(let reason) = next { throw Fault("with \(Value.object(settings).text): \(reason)") }
          // What it warns of is no fault here.
          verdict = .passed
        } catch is RecipeError {}
      }
      return verdict ?? .skipped("no setting has choices")
    }
  }

  private static var modes: Check {
    check(
      "modes",
      "Draws of two separated modes have the moments of both and fall into each half the time, or a warning says otherwise.",
      .modes
    ) {
      bench, sampler in
      let labels = try Tensor((0..<2000).map { Int64($0 % 2) }).to(bench.device)
      let (draw, verdict) = try moments(bench, sampler, labels: labels)
      guard verdict == .passed else { return verdict }
      let places = try draw.latents.select(0, axis: 1).doubles()
      let shares = [-4.0, 4.0].map { place in Double(places.count { abs($0 - place) < 2 }) / Double(places.count) }
      guard shares.allSatisfy({ abs($0 - 0.5) < 0.15 }) else {
        let fault =
          "\(short(100 * shares[0])) and \(short(100 * shares[1])) % of draws lie at the modes, expected 50 each"
        return draw.warnings.isEmpty
          ? .failed("\(fault), and no warning says so") : .warning("\(fault); it warns: \(draw.warnings[0])")
      }
      return .passed
    }
  }

  private static var box: Check {
    check(
      "bounded",
      "Draws of a bounded density have its moments, or a warning says that they do not; they stay inside, unless the sampler says that it follows an estimate of the training latents (EstimatingSampler).",
      .box
    ) {
      bench, sampler in
      let (draw, verdict) = try moments(bench, sampler)
      guard verdict == .passed else { return verdict }
      let outside = try draw.latents.doubles().count { !(0...1).contains($0) }
      guard outside > 0, !(sampler is any EstimatingSampler) else { return .passed }
      let fault = "\(short(Double(outside) / 40)) % of the coordinates of draws lie outside the bounds of the density"
      guard draw.warnings.isEmpty else { return .warning("\(fault); it warns: \(draw.warnings[0])") }
      return .failed(
        "\(fault), and no warning says so; a sampler that draws from an estimate of the latents is an EstimatingSampler"
      )
    }
  }

  private static var labels: Check {
    check(
      "labels",
      "Draws that are said to follow labels lie at the class that was asked for, in the order of the request.", .modes
    ) {
      bench, sampler in
      var order = try Generator(seed: bench.subject.seed, for: "labels of checks")
      let labels = try order.integers(0..<2, [40])
      let wanted = try labels.ints()
      let draw = try bench.draw(sampler, 40, labels: labels.to(bench.device))
      guard draw.followsLabels else { return .skipped("it does not follow labels") }
      let places = try draw.latents.select(0, axis: 1).doubles()
      let wrong = zip(places, wanted).count { ($0 > 0) != ($1 == 1) }
      try require(wrong == 0, "\(wrong) of 40 draws lie at another class than the request names")
      return .passed
    }
  }

  private static var settings: Check {
    Check(
      .sampler, "settings",
      "The part works at the ends of each setting's range and with each choice, or refuses by a sentence."
    ) { part in
      let bench = try Bench(part, .modes)
      var count = 0
      for (setting, value) in bench.subject.trials {
        try bench.subject.trying(setting, value) {
          let draw = try bench.draw(
            bench.sampler([setting: value]), 4, labels: Tensor([0, 1, 0, 1] as [Int64]).to(bench.device))
          try require(draw.latents.shape == [4, 2], "4 draws have the shape \(draw.latents.shape)")
          try require(try areFinite([draw.latents]), "draws are not finite")
          count += 1
        }
      }
      return count == 0 ? .skipped("no setting has choices or ends to try") : .passed
    }
  }
}
