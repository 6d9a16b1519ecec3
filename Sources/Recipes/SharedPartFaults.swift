import Files
import Foundation
import LatentKit

// What a damaged folder of a part says.

extension SharedPart {
  /// The slot with its article.
  var noun: String {
    Slot.all.first { $0.name == slot }?.noun ?? "for the unknown slot '\(slot.shortened())'"
  }

  /// What no export has written, in a sentence; nil where all values are possible.
  var fault: String? {
    let most = 1_000_000
    guard Slot.all.contains(where: { $0.isTrainable && $0.name == slot }) else {
      let known = Slot.all.filter(\.isTrainable).map(\.name).joined(separator: ", ")
      return "found the slot '\(slot.shortened())', expected one of \(known)"
    }
    guard (1...most).contains(latent) else { return "found latent \(latent), expected 1 to \(most)" }
    guard inputs.shape.count == 1 || inputs.shape.count == 3, inputs.shape.allSatisfy((1...most).contains) else {
      return "found inputs of shape \(inputs.shape), expected 1 or 3 lengths from 1 to \(most)"
    }
    guard (0...most).contains(inputs.padding) else {
      return "found padding \(inputs.padding) of inputs, expected 0 to \(most)"
    }
    if let range = inputs.range, range.count != 2 || range[0] > range[1] {
      return "found the range \(range) of inputs, expected the least and the greatest value"
    }
    if let classes {
      guard (1...most).contains(classes.count) else {
        return "found classes.count \(classes.count), expected 1 to \(most)"
      }
      if let names = classes.names, names.count != classes.count {
        return "found \(names.count) names of classes, expected \(classes.count) as classes.count says"
      }
    }
    let tensors = (takes + makes).map { ($0.name, $0.shape) } + weights.map { ($0.name, $0.shape) }
    if let (name, shape) = tensors.first(where: { $0.1.contains { $0 < 0 } }) {
      return "found '\(name)' of shape \(shape), expected lengths of 0 or more"
    }
    if let weight = weights.first(where: { Parameter.Role(rawValue: $0.role) == nil }) {
      return "found the role '\(weight.role)' of '\(weight.name)', expected weight or buffer"
    }
    return nil
  }

  /// What is wrong with the text, in a sentence.
  static func decodingFault(_ error: any Error) -> String {
    func place(_ path: [any CodingKey]) -> String {
      path.reduce("") { text, key in
        key.intValue.map { "\(text)[\($0)]" } ?? (text.isEmpty ? key.stringValue : "\(text).\(key.stringValue)")
      }.shortened()
    }
    switch error as? DecodingError {
    case .keyNotFound(let key, let context): return "found no '\(place(context.codingPath + [key]))'"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "'\(place(context.codingPath))' has a value of another kind than expected"
    case .dataCorrupted(let context) where !context.codingPath.isEmpty:
      return "'\(place(context.codingPath))' has a value that cannot be"
    default: return "it is no JSON"
    }
  }
}

/// `SHA256SUMS` of a part's folder: the checksum of each file.
struct PartSums {
  private let digits: [String: String]

  subscript(_ file: String) -> String? { digits[file] }

  /// - Throws: `RecipeError` for a folder without it.
  init(_ folder: String) throws {
    let url = URL(fileURLWithPath: folder).appendingPathComponent(SharedPart.sums)
    guard OutputPlace(url, followsLinks: true) != nil else {
      throw RecipeError(
        "the part in \(folder) has no \(SharedPart.sums); copy the whole folder again, or export the part again")
    }
    try OutputPlace.requireReadable(url)
    guard let data = try? Data(contentsOf: url), data.count < 1_000_000 else {
      throw FileError(url.path, "cannot be read as a list of checksums; copy it again")
    }
    var digits: [String: String] = [:]
    for line in String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline) {
      // As sha256sum writes it: the digits, two spaces or a space and a star, the name.
      guard let match = line.wholeMatch(of: /([0-9a-f]{64}) [ *](.+)/) else { continue }
      digits[String(match.2)] = String(match.1)
    }
    self.digits = digits
  }
}
