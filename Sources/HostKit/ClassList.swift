import Datasets
import Foundation
import LatentKit

extension Dataset {
  /// The classes of a list such as `0,3,Sneaker`, in its order: names, or numbers where no class is called so.
  ///
  /// - Throws: `RecipeError` for a class that is not there.
  func classes(named list: String) throws -> [Int] {
    guard let classCount else { throw RecipeError("--classes: \(name) has no labels; leave it out") }
    guard list.contains(where: { $0 != "," && $0 != " " }) else {
      throw RecipeError("--classes: found '\(list)', expected classes by number or name, as in 0,3,7")
    }
    var seen: Set<Int> = []
    return try list.split(separator: ",", omittingEmptySubsequences: false).map { piece in
      let label = try self.label(of: piece.trimmingCharacters(in: .whitespaces), in: list, classCount)
      guard seen.insert(label).inserted else {
        throw RecipeError(
          "--classes: found class '\(piece.trimmingCharacters(in: .whitespaces))' twice in '\(list)'; keep one")
      }
      return label
    }
  }

  private func label(of text: String, in list: String, _ classCount: Int) throws -> Int {
    guard !text.isEmpty else {
      throw RecipeError(
        "--classes: found nothing between two commas or at an end of '\(list)', expected a class; take the comma out")
    }
    // Classes may differ in capitals alone.
    let exact = classNames?.firstIndex(of: text)
    if let label = exact ?? classNames?.firstIndex(where: { $0.lowercased() == text.lowercased() }) { return label }
    if let label = Int(text), (0..<classCount).contains(label) { return label }
    let known = classNames.map { ": " + $0.joined(separator: ", ") } ?? ""
    throw RecipeError("--classes: found '\(text)', expected classes 0 to \(classCount - 1) of \(name)\(known)")
  }
}
