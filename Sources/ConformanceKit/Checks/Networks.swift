import LatentKit

/// Checks of the roles that map inputs or latents to outputs.
extension Mapping where Role == any Encoder {
  static var encoder: Self {
    Mapping(
      key: .encoder, verb: "encode", kinds: World.kinds,
      apply: { encoder, sample in
        let batch = Batch(inputs: sample.values, labels: encoder.needs.contains(.labels) ? sample.labels : nil)
        let outputs: [Tensor] =
          switch try encoder.encode(batch) {
          case .point(let latents): [latents]
          case .gaussian(let mean, let logVariance): [mean, logVariance]
          }
        return outputs
      }, sample: inputs, shape: { [$0.part.latentSize] }, extremes: extremeInputs,
      takesImages: true)
  }

  static var hiddenLayers: Check {
    Check(
      .encoder, "features",
      "A FeatureEncoder has finite hidden layers with a row for each input, and the same code with them as without."
    ) { part in
      try encoder.each(part) { _, made in
        guard let encoder = made.part as? any FeatureEncoder else { return .skipped("it is no FeatureEncoder") }
        for count in [1, 5] {
          let sample = try inputs(made, count, part.seed)
          let batch = Batch(inputs: sample.values, labels: encoder.needs.contains(.labels) ? sample.labels : nil)
          try withoutGradients {
            let (features, joint, code) = try (
              encoder.features(batch), encoder.encodeWithFeatures(batch), encoder.encode(batch)
            )
            try require(!features.isEmpty, "there are no hidden layers")
            for (index, layer) in features.enumerated() {
              try require(
                layer.shape.first == count,
                "layer \(index) has the shape \(layer.shape) for a batch of \(count), expected [\(count), …]")
            }
            try require(try areFinite(features), "a hidden layer is not finite")
            try require(
              try joint.features.count == features.count
                && zip(joint.features, features).allSatisfy { try agree($0, $1, within: 1e-5) },
              "read with the code, hidden layers are others")
            try require(
              try agree(joint.code.mean, code.mean, within: 1e-5), "read with the hidden layers, the code is another")
          }
        }
        return .passed
      }
    }
  }
}

extension Mapping where Role == any Decoder {
  static var decoder: Self {
    Mapping(
      key: .decoder, verb: "decode", kinds: World.kinds,
      apply: { decoder, sample in
        [try decoder.decode(LatentBatch(sample.values, labels: decoder.needs.contains(.labels) ? sample.labels : nil))]
      }, sample: latents, shape: { $0.world.inputShape }, extremes: extremeLatents)
  }
}

extension Mapping where Role == any Classifier {
  static var classifier: Self {
    Mapping(
      key: .classifier, verb: "score", kinds: [[.rows]], apply: { [try $0.scores(LatentBatch($1.values))] },
      sample: latents,
      shape: { [$0.world.classCount ?? 0] }, extremes: extremeLatents)
  }
}

extension Mapping where Role == any Discriminator {
  static var discriminator: Self {
    Mapping(
      key: .discriminator, verb: "score", kinds: World.kinds,
      apply: { discriminator, sample in
        [
          try discriminator.score(
            Batch(inputs: sample.values, labels: discriminator.needs.contains(.labels) ? sample.labels : nil))
        ]
      }, sample: inputs, shape: { _ in [1] }, extremes: extremeInputs, takesImages: true)
  }
}

/// Random inputs of a part's world.
func inputs<Role>(_ made: Made<Role>, _ count: Int, _ seed: UInt64) throws -> Sample {
  let batch = try made.world.batch(count, seed: seed, dtype: made.scope.dtype, device: made.scope.device)
  return Sample(values: batch.inputs, labels: batch.labels)
}

/// Random latents of a part's world.
func latents<Role>(_ made: Made<Role>, _ count: Int, _ seed: UInt64) throws -> Sample {
  let batch = try made.world.latents(count, seed: seed, dtype: made.scope.dtype, device: made.scope.device)
  return Sample(values: batch.latents, labels: batch.labels)
}

/// The ends of the range of inputs; zeros, equal and large values where there is none.
func extremeInputs<Role>(_ made: Made<Role>) throws -> [(String, Sample)] {
  try extremes(
    inputs(made, 3, 0), at: made.world.inputRange.map { [$0.lowerBound, $0.upperBound] } ?? [0, 1, -1000, 1000])
}

/// Zeros, equal and large latents.
func extremeLatents<Role>(_ made: Made<Role>) throws -> [(String, Sample)] {
  try extremes(latents(made, 3, 0), at: [0, 1, -1000, 1000])
}

private func extremes(_ sample: Sample, at values: [Double]) throws -> [(String, Sample)] {
  try values.map {
    ("inputs that are all \(short($0))", Sample(values: try sample.values.filled(with: $0), labels: sample.labels))
  }
}
