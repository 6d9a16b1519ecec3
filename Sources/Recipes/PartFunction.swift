import Foundation
import LatentKit

/// What a part computes, as a function of tensors: for examples of its outputs, and for other languages.
public struct PartFunction {
  /// The names and shapes of the inputs; a batch's size is 0.
  public let takes: [SharedPart.Named]
  /// The names of the outputs.
  public let makes: [String]
  /// Computes the outputs.
  public let call: ([Tensor]) throws -> [Tensor]
  private let range: ClosedRange<Double>?
  private let classCount: Int?

  /// Creates the function of the part in a slot of a model.
  ///
  /// - Parameter device: That of the part's weights.
  /// - Returns: Nil for a slot whose parts are no functions of tensors: noise draws.
  /// - Throws: What the part throws for two inputs.
  public init?(_ slot: Slot, _ part: Any, _ data: DataShape, latent: Int, on device: Device) throws {
    (range, classCount) = (data.inputRange, data.classCount)
    let isConditional = (part as? any Part)?.needs.contains(.labels) ?? false
    let inputs = SharedPart.Named("inputs", [0] + data.inputShape)
    let latents = SharedPart.Named("latents", [0, latent])
    let labels = SharedPart.Named("labels", [0])
    func labelled(_ given: [Tensor]) -> Tensor? { given.count > 1 ? given[1] : nil }
    switch part {
    case let encoder as any Encoder where slot == .encoder:
      takes = isConditional ? [inputs, labels] : [inputs]
      // Codes are of one kind, whatever the input: a try tells which.
      let isGaussian = try encoder.isGaussian(data, isConditional, on: device)
      makes = isGaussian ? ["mean", "logVariance"] : ["latents"]
      call = { given in
        switch try encoder.encode(Batch(inputs: given[0], labels: labelled(given))) {
        case .point(let latents): [latents]
        case .gaussian(let mean, let logVariance): [mean, logVariance]
        }
      }
    case let decoder as any LatentKit.Decoder where slot == .decoder:
      takes = isConditional ? [latents, labels] : [latents]
      makes = ["outputs"]
      call = { [try decoder.decode(LatentBatch($0[0], labels: labelled($0)))] }
    case let classifier as any Classifier where slot == .classifier:
      (takes, makes) = ([latents], ["scores"])
      call = { [try classifier.scores(LatentBatch($0[0]))] }
    case let discriminator as any Discriminator where slot == .discriminator:
      takes = isConditional ? [inputs, labels] : [inputs]
      makes = ["scores"]
      call = { [try discriminator.score(Batch(inputs: $0[0], labels: labelled($0)))] }
    case let prior as any Prior where slot == .prior:
      takes = try data.classCount != nil && prior.knowsClasses ? [latents, labels] : [latents]
      makes = ["logDensity"]
      call = { [try prior.logDensity($0[0], labels: labelled($0))] }
    default: return nil
    }
  }

  /// Returns inputs of a batch of some size: uniform in the data's range or normal, labels in turn.
  public func inputs(of size: Int) throws -> [Tensor] {
    var generator = try Generator(seed: UInt64(size), for: "examples of a part")
    return try takes.map { input in
      if input.name == "labels" { return try Tensor((0..<size).map { Int64($0 % max(classCount ?? 1, 1)) }) }
      let shape = [size] + input.shape.dropFirst()
      guard input.name == "inputs", let range else { return try generator.normal(shape) }
      let values = try generator.uniform(shape) * (range.upperBound - range.lowerBound) + range.lowerBound
      return shape.count == 4 ? try values.channelsLast() : values
    }
  }
}

extension Encoder {
  fileprivate func isGaussian(_ data: DataShape, _ isConditional: Bool, on device: Device) throws -> Bool {
    try withoutGradients {
      let inputs = try Tensor.full([2] + data.inputShape, data.inputRange?.lowerBound ?? 0, device: device)
      let labels = isConditional ? try Tensor([Int64(0), 0]).to(device) : nil
      if case .gaussian = try encode(Batch(inputs: inputs, labels: labels)) { return true }
      return false
    }
  }
}

extension SharedPart {
  /// Refuses data and models that the part was not trained for.
  ///
  /// - Throws: `RecipeError`.
  func requireFit(_ slot: Slot, _ choice: PartChoice, _ context: BuildContext) throws {
    let title = "\(slot.name) '\(use.shortened())' from \(folder)"
    func refuse(_ reason: String) -> RecipeError { RecipeError("\(title) \(reason)") }
    guard self.slot == slot.name, use == choice.use else {
      throw refuse("is no \(slot.name) '\(choice.use)'; leave 'use' and 'checksum' out of the recipe")
    }
    if let change = change(choice.with) { throw RecipeError(change) }
    let isFrozen = choice.origin?.isFrozen ?? false
    if slot == .encoder || slot == .decoder || slot == .discriminator {
      let verb = slot == .decoder ? "makes" : "reads"
      guard inputs.shape == context.inputShape else {
        let isPadded = inputs.shape.count == 3 && context.inputShape.count == 3
        throw refuse(
          "\(verb) inputs of shape \(inputs.shape), and the data have \(context.inputShape); "
            + (isPadded && inputs.padding != context.padding
              ? "it was trained with data.pad=\(inputs.padding)" : "take data of that shape, or another part"))
      }
      let range = context.inputRange.map { [$0.lowerBound, $0.upperBound] }
      if inputs.range != range {
        func text(_ range: [Double]?) -> String {
          range.map { "from \($0[0]) to \($0[$0.count - 1])" } ?? "without bounds"
        }
        let reason = "\(verb) values \(text(inputs.range)), and the data have them \(text(range))"
        let advice = preprocessing.settings["range"].map { "; it was trained with data.range=\($0.shortText)" } ?? ""
        guard !isFrozen else { throw refuse(reason + advice) }
        context.announce("\(title) \(reason)")
      }
      if inputs.units != context.inputUnits {
        let reason = "was trained on rows of other columns, or with transforms that were fitted to other rows"
        guard !isFrozen else {
          throw refuse("\(reason); prepare and split the data as its run did (data.splitFile), or train it further")
        }
        context.announce("\(title) \(reason)")
      }
    }
    if slot != .encoder, slot != .discriminator, latent != context.latentSize {
      throw refuse(
        "takes latents of \(latent) values, and the encoder makes \(context.latentSize); set encoder.latent to \(latent)"
      )
    }
    guard takesLabels || slot == .classifier, let classes else { return }
    guard classes.count == context.classCount else {
      throw refuse(
        "knows \(classes.count) classes, and the data have \(context.classCount.map { "\($0)" } ?? "none"); take data of the same "
          + "classes, or another part")
    }
    if let theirs = classes.names, let ours = context.classNames, theirs != ours {
      let (one, other) = zip(theirs, ours).first { $0 != $1 } ?? ("", "")
      let reason = "knows other classes, '\(one)' where the data have '\(other)'"
      guard !isFrozen else { throw refuse("\(reason); take data of the same classes, or train it further") }
      context.announce("\(title) \(reason)")
    }
  }

  /// Copies weights into a part, and checks that it then makes what it made where it was exported.
  ///
  /// - Throws: `RecipeError` for weights of other names or shapes, and for other outputs.
  fileprivate func load(
    _ tensors: [String: Tensor], _ examples: [String: Tensor], into part: Any, _ context: BuildContext
  ) throws {
    let path = context.scope.path
    let own = context.scope.store.parameters(under: path)
    func other(_ reason: String) -> RecipeError {
      RecipeError(
        "\(context.title) of this program does not fit the one in \(folder), of plugin \(plugin.shortened()) and LatentKit "
          + "\(versions["latentkit"]?.shortened() ?? "of an unknown version"): \(reason); use the plugin's version that exported it"
      )
    }
    let names = own.map { String($0.name.dropFirst(path.count + 1)) }
    if let stray = tensors.keys.sorted().first(where: { !names.contains($0) }) { throw other("it has no '\(stray)'") }
    for (parameter, name) in zip(own, names) {
      guard let saved = tensors[name] else { throw other("it also has '\(name)'") }
      guard saved.shape == parameter.tensor.shape, saved.dtype == parameter.tensor.dtype else {
        throw other("its '\(name)' has shape \(parameter.tensor.shape), found \(saved.shape)")
      }
      guard try !saved.dtype.isFloatingPoint || saved.isFinite().all() else {
        throw RecipeError("the part in \(folder) is damaged: '\(name)' has values that are not finite; export it again")
      }
    }
    for (parameter, name) in zip(own, names) {
      if let saved = tensors[name] { try parameter.tensor.copyInPlace(saved) }
    }
    try requireSameOutputs(part, context, examples, other)
  }

  private func requireSameOutputs(
    _ part: Any, _ context: BuildContext, _ examples: [String: Tensor], _ refuse: (String) -> RecipeError
  ) throws {
    let data = DataShape(
      title: "", inputShape: inputs.shape, inputRange: nil, classCount: classes?.count, classNames: classes?.names)
    guard let slot = Slot.all.first(where: { $0.name == self.slot }),
      let function = try PartFunction(slot, part, data, latent: latent, on: context.device)
    else { return }
    let given = try takes.map { input in
      guard let tensor = examples[input.name] else { throw refuse("its examples lack '\(input.name)'") }
      return try tensor.to(context.device)
    }
    guard function.takes.map(\.name) == takes.map(\.name) else { throw refuse("it takes other inputs") }
    let wasTraining = context.scope.mode.isTraining
    context.scope.mode.isTraining = false
    defer { context.scope.mode.isTraining = wasTraining }
    let made = try withoutGradients { try function.call(given) }
    for (name, output) in zip(function.makes, made) {
      guard let expected = examples[name], expected.shape == output.shape else {
        throw refuse("it makes other outputs of its examples")
      }
      let scale = max(1, try expected.abs().max().item())
      let difference = try (output.to(.cpu).to(.float64) - expected.to(.float64)).abs().max().item()
      // Devices and libraries differ in the last digits.
      guard difference <= 1e-3 * scale else {
        throw refuse("it makes other outputs of its examples, by up to \(difference)")
      }
    }
  }
}

extension LoadedPart {
  /// Copies the weights into a part; as `SharedPart.load`.
  func load(into made: Any, _ context: BuildContext) throws {
    try part.load(weights, examples, into: made, context)
  }
}
