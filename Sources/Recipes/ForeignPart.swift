import Files
import LatentKit

extension Recipe {
  /// Every part that libraries in other languages can make, with its slot and place.
  private var choices: [(slot: Slot, path: String, choice: PartChoice)] {
    func losses(_ steps: [Step], _ path: String) -> [(Slot, String, PartChoice)] {
      steps.enumerated().flatMap { index, step in
        let here = "\(path).steps[\(index)]"
        return step.losses.enumerated().map { (.loss, "\(here).losses[\($0)]", $1) } + losses(step.steps, here)
      }
    }
    let single = Slot.all.compactMap { slot in self[slot].map { (slot, slot.key, $0) } }
    return single + (stages ?? []).enumerated().flatMap { losses($1.steps, "stages[\($0)]") }
  }

  /// The manifests of the libraries that parts come from.
  package var foreignManifests: [String] { unique(choices.compactMap(\.choice.foreign?.manifest)) }

  /// Refuses a part of a library that the command line does not name, or that has changed.
  ///
  /// Nothing is loaded by a recipe: the catalog has what the flag named, and the recipe says what it must be.
  ///
  /// - Throws: `ConfigError` with the flag to add.
  func requireForeign(in catalog: Catalog) throws {
    for (slot, path, choice) in choices {
      guard let wanted = choice.foreign else { continue }
      let title = "\(slot.name) '\(choice.use)'"
      let known = catalog.descriptions(of: slot).first { $0.name == choice.use }
      guard let found = known?.foreign else {
        let own = known == nil ? "" : ", and not the one of this program"
        // Whole up to 600 characters: it is there to be copied.
        let manifest = wanted.manifest.shortened(to: 600)
        throw ConfigError(
          path: path,
          "\(title) is of the foreign library that \(manifest) describes\(own); add --foreign \(manifest), if you trust it"
        )
      }
      if let expected = wanted.checksum, expected != found.checksum {
        let checksum = found.checksum ?? "none"
        throw ConfigError(
          path: path,
          "\(title) has changed: \(found.manifest) and its library have the checksum \(checksum.prefix(12)), expected "
            + "\(expected.prefix(12)) as in the recipe; put the old ones back, or leave 'checksum' out of the recipe to take "
            + "the new ones")
      }
    }
  }
}
