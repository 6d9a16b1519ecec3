import Files
import Foundation
import LatentKit
import Recipes
import Training

/// A trained part of a run, to be written into a folder of its own for other projects.
public struct PartExport {
  /// The description, without the files' checksums.
  public private(set) var part: SharedPart
  private let weights: [(name: String, tensor: Tensor)]
  private let examples: [String: Tensor]
  private let preprocessing: [String: Tensor]
  private let recipe: String
  private let python: String?

  /// Takes a part of an opened run.
  ///
  /// - Parameters:
  ///   - slot: The part's slot.
  ///   - session: The run with its weights.
  ///   - name: The run's name, for the generated file.
  /// - Throws: `RecipeError` for a slot that the run leaves empty, and for a part without weights.
  public init(_ slot: Slot, of session: Session, named name: String) throws {
    try self.init(
      slot, of: session.composition, session.catalog, columns: session.dataset.featureNames,
      transforms: session.transforms, on: session.device, named: name)
  }

  /// - Parameter composition: In evaluation mode.
  init(
    _ slot: Slot, of composition: Composition, _ catalog: Catalog, columns: [String]? = nil,
    transforms: TransformChain = TransformChain(), on device: Device = .cpu, named name: String,
    withPython: Bool = true
  ) throws {
    let recipe = composition.recipe
    let known = Slot.all.filter { slot in
      slot.isTrainable && recipe.has(slot) && !composition.store.parameters(under: slot.name).isEmpty
    }
    guard known.contains(slot), let choice = recipe[slot], let made = composition.model.part(in: slot) else {
      let others = known.map(\.name).joined(separator: ", ")
      guard recipe.has(slot), let choice = recipe[slot] else {
        throw RecipeError("the run has no \(slot.name), expected one of its parts with weights: \(others)")
      }
      throw RecipeError(
        "\(slot.name) '\(choice.use)' has no weights, expected one of the run's parts that have: \(others)")
    }
    guard !(made is any FittablePrior) else {
      throw RecipeError(
        "\(slot.name) '\(choice.use)' is fitted to the latents of its own run, so another model cannot use it; export another part"
      )
    }
    weights = composition.store.parameters(under: slot.name).map {
      (String($0.name.dropFirst(slot.name.count + 1)), $0.tensor)
    }
    let data = composition.data
    let latent = composition.model.encoder.latentSize
    let function = try PartFunction(slot, made, data, latent: latent, on: device)
    let outputs = try Self.outputs(of: function, size: 5, on: device)
    examples = outputs.examples
    let fitted = try transforms.parameters()
    preprocessing = fitted
    var settings = recipe[.data]?.with ?? [:]
    // Where the files lie on one machine is no preparation of data.
    settings["path"] = nil
    var parts: [String: String] = [:]
    for other in Slot.all where other.isSingle && other != .data && other != slot && recipe.has(other) {
      guard let choice = recipe[other] else { continue }
      let plugin = try catalog.description(of: other, choice.use).plugin
      parts[other.name] = "\(plugin) \(choice.use)"
    }
    var part = SharedPart(
      slot: slot, use: choice.use, plugin: try catalog.description(of: slot, choice.use).plugin,
      settings: choice.with, data: data, latent: latent,
      takesLabels: function?.takes.contains { $0.name == "labels" } ?? false, takes: function?.takes ?? [],
      makes: outputs.makes,
      weights: zip(weights, composition.store.parameters(under: slot.name)).map {
        SharedPart.Weight($0.name, $0.tensor.shape, role: $1.role.rawValue)
      }, parts: parts,
      preprocessing: SharedPart.Preprocessing(
        data: recipe[.data]?.use ?? "", settings: settings,
        transforms: (recipe[all: .transform] ?? []).map { .init(use: $0.use, with: $0.with) }), columns: columns)
    self.recipe = recipe.yaml()
    var python: String?
    if let function, withPython {
      do {
        let preparation = try PythonPreparation(
          of: part, transforms: transforms.links.map(\.transform), fitted: fitted)
        python =
          try PythonModule(part, function, weights: weights, preparation, device: device, origin: name).text
      } catch let error as TensorError { part.withoutPython = "\(error)" }
    } else if function == nil {
      part.withoutPython = "\(slot.noun) draws random numbers"
    }
    self.python = python
    self.part = part
  }

  private static func outputs(
    of function: PartFunction?, size: Int, on device: Device
  ) throws -> (examples: [String: Tensor], makes: [SharedPart.Named]) {
    guard let function else { return ([:], []) }
    let inputs = try function.inputs(of: size)
    let outputs = try withoutGradients { try function.call(inputs.map { try $0.to(device) }) }
    var examples: [String: Tensor] = [:]
    for (input, values) in zip(function.takes, inputs) { examples[input.name] = values }
    for (name, values) in zip(function.makes, outputs) { examples[name] = try values.to(.cpu) }
    return (
      examples, zip(function.makes, outputs).map { SharedPart.Named($0, [0] + $1.shape.dropFirst()) }
    )
  }

  /// The part with its weights, for a recipe that takes it straight from the run.
  ///
  /// - Parameter folder: The run's, as that recipe names it.
  func loaded(from folder: String, checksum: String) -> LoadedPart {
    LoadedPart(
      part, ofRun: folder, checksum: checksum,
      weights: Dictionary(uniqueKeysWithValues: weights.map { ($0.name, $0.tensor) }),
      examples: examples)
  }

  /// Writes the folder: `part.json`, `weights.safetensors`, `examples.safetensors`, `recipe.yaml`, `part.py`, and for transformed
  /// rows `preprocessing.safetensors`; and `SHA256SUMS` for `sha256sum -c`.
  ///
  /// - Parameter url: A new name, or an empty folder.
  /// - Returns: The part's checksum.
  /// - Throws: `FileError` where something is there, or cannot be written.
  @discardableResult
  public func write(to url: URL) throws -> String {
    let files = FileManager.default
    if let found = OutputPlace(url, followsLinks: true) {
      guard found == .folder, try files.contentsOfDirectory(atPath: url.path).isEmpty else {
        throw FileError(url.relativePath, "is there already; choose a new name, or remove it")
      }
    }
    do { try files.createDirectory(at: url, withIntermediateDirectories: true) } catch {
      throw FileError(url.path, "cannot be made: \(systemReason(of: error))")
    }
    var part = part
    func note(_ name: String) throws {
      part.files[name] = try Checksum(.sha256, of: url.appendingPathComponent(name)).digits
    }
    var tensors: [String: Tensor] = [:]
    for (name, tensor) in weights { tensors[name] = try tensor.detached().to(.cpu) }
    try Safetensors.write(tensors, metadata: ["format": "pt"], to: url.appendingPathComponent(SharedPart.weights))
    try note(SharedPart.weights)
    try Safetensors.write(examples, to: url.appendingPathComponent(SharedPart.examples))
    try note(SharedPart.examples)
    try AtomicFile.write(recipe, to: url.appendingPathComponent("recipe.yaml"))
    try note("recipe.yaml")
    if !preprocessing.isEmpty {
      try Safetensors.write(preprocessing, to: url.appendingPathComponent("preprocessing.safetensors"))
      try note("preprocessing.safetensors")
    }
    if let python {
      try AtomicFile.write(python, to: url.appendingPathComponent("part.py"))
      try note("part.py")
    }
    // Last: by it a folder is known as a part's.
    let json = try part.json()
    let checksum = try Checksum(.sha256, of: json).digits
    let sums = part.files.merging([SharedPart.description: checksum]) { $1 }
    try AtomicFile.write(
      sums.sorted { $0.key < $1.key }.map { "\($1)  \($0)\n" }.joined(), to: url.appendingPathComponent(SharedPart.sums)
    )
    try AtomicFile.write(json, to: url.appendingPathComponent(SharedPart.description))
    return checksum
  }
}

extension Model {
  /// Returns the part in a slot that has weights; nil for none.
  fileprivate func part(in slot: Slot) -> Any? {
    switch slot {
    case .encoder: encoder
    case .prior: prior
    case .decoder: decoder
    case .classifier: classifier
    case .discriminator: self[.discriminator]
    case .noise: noise
    default: nil
    }
  }
}
