import LatentKit

extension Composition {
  /// Returns draws of the sampler.
  ///
  /// - Parameter advice: What the sentence about numbers that are not finite ends with.
  /// - Throws: `RecipeError` where the sampler refuses, or what it draws has a wrong shape or is not finite.
  package func draw(
    _ request: DrawRequest, using generator: inout Generator,
    advice: () -> String = { "; this is a defect of the sampler" }
  ) throws -> Draw {
    let draw = try sampler.draw(request, using: &generator)
    let name = "sampler '\(recipe[.sampler]?.use ?? "")'"
    let expected = [request.count, request.latentSize]
    guard draw.latents.shape == expected else {
      throw RecipeError(
        "\(name) drew latents of shape \(draw.latents.shape), expected \(expected); this is a defect of the sampler")
    }
    guard try draw.latents.isFinite().all() else {
      throw RecipeError("\(name) drew numbers that are not finite\(advice())")
    }
    return draw
  }

  /// Returns draws of the sampler and what the decoder makes of them. Call it in evaluation mode and without gradients.
  ///
  /// - Parameters:
  ///   - reference: The training latents.
  ///   - generator: On the device of the model.
  ///   - isRehearsal: Whether the draws are thrown away.
  ///   - batchSize: Latents that are decoded at once, 1 or more.
  /// - Throws: `RecipeError` without a decoder, for classes of data without labels, and where the sampler refuses or what it draws
  ///   has a wrong shape or is not finite.
  public func samples(
    _ request: SampleRequest, reference: LatentSet, using generator: inout Generator, isRehearsal: Bool = false,
    batchSize: Int = 500
  ) throws -> SampleSet {
    var labels: Tensor?
    if request.areOfClasses || model.decodesByClass {
      guard let classes = data.classCount, classes > 0 else {
        throw RecipeError.needsLabels("drawing samples of classes")
      }
      labels = try Tensor((0..<request.count).map { Int64($0 % classes) }).to(generator.device)
    }
    var drawing = DrawRequest(
      labels: labels, count: request.count, latentSize: model.encoder.latentSize, prior: model.prior,
      reference: reference)
    drawing.isRehearsal = isRehearsal
    let draw = try draw(drawing, using: &generator)
    let pieces = try stride(from: 0, to: request.count, by: max(batchSize, 1)).map { start in
      let range = start..<min(start + max(batchSize, 1), request.count)
      return try model.decode(LatentBatch(draw.latents.slice(range), labels: labels?.slice(range)))
    }
    let areOfClasses = draw.followsLabels || model.decodesByClass
    return SampleSet(
      latents: draw.latents, inputs: try .concatenate(pieces), labels: areOfClasses ? labels : nil,
      warnings: draw.warnings)
  }
}
