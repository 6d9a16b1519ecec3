import LatentKit
import Statistics

/// A function that fills draws, from a seed that the lent generator gives.
struct ForeignDraws {
  private let function: ForeignFunction
  private let settings: [String: Binding]
  private let latentSize: Int
  private let classCount: Int?
  private let dtype: DType
  let title: String

  init(_ function: ForeignFunction, _ values: SettingValues, _ context: BuildContext) throws {
    (self.function, latentSize, dtype, title) = (function, context.latentSize, context.dtype, context.title)
    settings = try function.settings(values, of: context.title)
    let isOfClasses = ["labels", "classes"].contains(where: function.signature.takes)
    classCount = isOfClasses ? try context.requireClasses() : nil
  }

  var usesLabels: Bool { function.signature.takes("labels") }
  var usesReferences: Bool { function.signature.takes("references") }

  /// The signature of our density, where the function asks for it.
  var callback: Signature? {
    function.signature.parameters.first { $0.callback != nil }?.callback?.signature
  }

  /// Returns draws, `[count, latent]`, on the generator's device.
  ///
  /// - Parameters:
  ///   - labels: `[count]`, for a function that takes them.
  ///   - references: Training latents, `[references, latent]`, likewise.
  ///   - callback: Our density, likewise.
  /// - Throws: `RecipeError` where the function fails, fills fewer draws than it was asked for, or gives numbers that are not
  ///   finite.
  func drawn(
    _ count: Int, using generator: inout Generator, labels: Tensor? = nil, references: Tensor? = nil,
    callback: ForeignCallback? = nil, isRehearsal: Bool = false
  ) throws -> Tensor {
    var bindings = settings
    let signature = function.signature
    guard let number = signature.numbers(of: "draws") else { throw RecipeError("\(title): nothing is known to fill") }
    let seed = try generator.integers(0..<(1 << signature.seedBits), [1]).ints()[0]
    let draws = ForeignArray(number, rows: count, of: latentSize)
    bindings["draws"] = .array(draws)
    bindings["count"] = .whole(count)
    bindings["latent"] = .whole(latentSize)
    bindings["seed"] = .whole(seed)
    bindings["rehearsal"] = .whole(isRehearsal ? 1 : 0)
    bindings["classes"] = classCount.map { .whole($0) }
    bindings["log-density"] = callback.map { .callback($0) }
    if let number = signature.numbers(of: "labels"), let labels {
      let classes = try labels.ints()
      if let wrong = classes.first(where: { !(0..<(classCount ?? 1)).contains($0) }) {
        throw RecipeError("\(title): found the class \(wrong), expected 0 to \((classCount ?? 1) - 1)")
      }
      bindings["labels"] = .array(try ForeignArray(number, classes))
    }
    if let number = signature.numbers(of: "references"), let references {
      let points = try references.detached().to(.cpu).contiguous().doubles()
      bindings["references"] = .array(ForeignArray(number, points, rowSize: latentSize))
      bindings["reference-count"] = .whole(points.count / latentSize)
    }
    let results = try function.call(bindings)
    func defect(_ reason: String) -> RecipeError {
      RecipeError("\(title): \(function.title) \(reason)", isDefect: true)
    }
    if signature.resultName == "count", let found = results.first?.whole, found != count {
      throw defect("returned \(found) as the number of draws, expected \(count)")
    }
    if let place = draws.firstUnwritten {
      throw defect("left draw \(place / latentSize) of \(count) unwritten")
    }
    let values = draws.reals
    if let place = values.firstIndex(where: { !Float($0).isFinite }) {
      throw defect("gave \(values[place]) in draw \(place / latentSize) of \(count), expected finite numbers")
    }
    return try Tensor(values, shape: [count, latentSize]).to(dtype).to(generator.device)
  }
}

/// A sampler in another language that is given training latents, and no density.
struct ForeignEstimatingSampler: EstimatingSampler {
  let sampler: ForeignSampler
  func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    try sampler.draw(request, using: &generator)
  }
}

/// A sampler in another language. It may call back for the log density of the prior, and start at training latents.
///
/// Where a request names classes and the prior knows them, the function is called for each class, with the density and the training
/// latents of that class.
struct ForeignSampler: Sampler {
  private let draws: ForeignDraws
  private let latentSize: Int
  private let dtype: DType

  init(_ draw: ForeignFunction, _ values: SettingValues, _ context: BuildContext) throws {
    draws = try ForeignDraws(draw, values, context)
    (latentSize, dtype) = (context.latentSize, context.dtype)
  }

  func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    try withoutGradients {
      guard let labels = request.labels, draws.callback != nil, try request.prior.knowsClasses else {
        return Draw(
          latents: try drawn(request.count, of: nil, request, using: &generator), followsLabels: false)
      }
      let wanted = try labels.to(.cpu)
      let parts = try Set(wanted.ints()).sorted().map { label in
        ClassRequest(
          label: label, training: try Tensor.zeros([0, latentSize]),
          places: try (wanted .== Double(label)).nonzero().squeezed(1))
      }
      var latents: [Tensor] = []
      for part in parts { latents.append(try drawn(part.count, of: part.label, request, using: &generator)) }
      return Draw(latents: try ClassRequest.merge(latents, of: parts), followsLabels: true)
    }
  }

  private func drawn(
    _ count: Int, of label: Int?, _ request: DrawRequest, using generator: inout Generator
  ) throws -> Tensor {
    let device = generator.device
    let callback = try draws.callback.map { signature in
      try ForeignCallback(signature, latentSize: latentSize) { points, rows, withGradients in
        try density(points, rows, of: label, request.prior, on: device, withGradients: withGradients)
      }
    }
    return try draws.drawn(
      count, using: &generator, references: references(of: label, request), callback: callback,
      isRehearsal: request.isRehearsal)
  }

  /// The training latents, those of a class where one is given; nil where the function takes none.
  private func references(of label: Int?, _ request: DrawRequest) throws -> Tensor? {
    guard draws.usesReferences else { return nil }
    guard let reference = request.reference, try reference.latents.size(0) > 0 else {
      throw RecipeError("\(draws.title) starts at training latents, and there are none; train the encoder first")
    }
    let latents = try label.map { try reference.latents(of: $0) } ?? reference.latents
    guard try latents.size(0) > 0 else {
      throw RecipeError(
        "\(draws.title) has no training latents of class \(label ?? 0) to start from; ask for classes that the data have"
      )
    }
    guard try latents.size(1) == latentSize, try latents.isFinite().all() else {
      throw RecipeError(
        "\(draws.title) found training latents that are not finite; the encoder diverged: train it at a lower rate")
    }
    return latents
  }

  private func density(
    _ points: [Double], _ rows: Int, of label: Int?, _ prior: any Prior, on device: Device, withGradients isWanted: Bool
  ) throws -> (values: [Double], gradients: [Double]) {
    let latents = try Tensor(points, shape: [rows, latentSize]).to(dtype).to(device)
    let labels = try label.map { try Tensor(Array(repeating: Int64($0), count: rows)).to(device) }
    // A thread of the library's own records gradients unless told otherwise.
    guard isWanted else {
      return try withoutGradients { (try prior.logDensity(latents, labels: labels).to(.cpu).doubles(), []) }
    }
    return try withGradients {
      let leaf = try latents.clone().requiringGradient()
      let values = try prior.logDensity(leaf, labels: labels)
      guard values.requiresGradient, let gradients = try values.sum().gradients(by: [leaf])[0] else {
        throw RecipeError(
          "\(draws.title) asks for gradients of a density that has none; choose another prior or sampler")
      }
      return (try values.detached().to(.cpu).doubles(), try gradients.to(.cpu).contiguous().doubles())
    }
  }
}
