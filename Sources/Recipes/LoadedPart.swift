import Files
import Foundation
import LatentKit

/// A trained part with its weights: of a folder that `host export` wrote, or straight from that of a finished run.
public struct LoadedPart {
  /// What the part is, and what it was trained on.
  public let part: SharedPart
  /// The checksum of the part, or of the run's recipe and weights.
  public let checksum: String
  /// The weights and buffers, named without the slot.
  let weights: [String: Tensor]
  /// A few inputs and what the part makes of them, by name.
  let examples: [String: Tensor]

  /// Creates a part of a run.
  ///
  /// - Parameter folder: The run's, as the recipe names it.
  package init(
    _ part: SharedPart, ofRun folder: String, checksum: String, weights: [String: Tensor], examples: [String: Tensor]
  ) {
    var part = part
    part.folder = folder
    (self.part, self.checksum, self.weights, self.examples) = (part, checksum, weights, examples)
  }

  /// Reads the part of an exported folder, and checks every file against its checksum.
  ///
  /// - Throws: As `SharedPart.read`.
  init(_ origin: PartOrigin) throws {
    (part, checksum) = try SharedPart.read(origin)
    let base = URL(fileURLWithPath: origin.folder)
    weights = try Safetensors.read(base.appendingPathComponent(SharedPart.weights)).tensors
    examples = try Safetensors.read(base.appendingPathComponent(SharedPart.examples)).tensors
  }
}

extension PartOrigin {
  /// Whether the folder is that of a run, and not one that `host export` wrote.
  package var isRun: Bool {
    func has(_ name: String) -> Bool {
      OutputPlace(URL(fileURLWithPath: folder).appendingPathComponent(name), followsLinks: true) == .file
    }
    return has("recipe.yaml") && !has(SharedPart.description)
  }

  /// Returns the name and the settings of the part that a run has in a slot.
  ///
  /// - Throws: `RecipeError` for a slot that the run leaves empty, `RecipeFileError` for a recipe that cannot be read.
  func choice(ofRun slot: Slot) throws -> PartChoice {
    let recipe = try Recipe.read(URL(fileURLWithPath: folder)).recipe
    guard recipe.has(slot), let choice = recipe[slot] else {
      let known = Slot.all.filter { $0.isTrainable && recipe.has($0) }.map(\.name).joined(separator: ", ")
      throw RecipeError("the run in \(folder) has no \(slot.name), expected one of its parts: \(known)")
    }
    return choice
  }
}
