import LatentKit

extension PartOrigin {
  /// Whether a text is a folder and not the name of a part: it has a slash.
  static func isFolder(_ text: String) -> Bool { text.contains("/") }
}

extension PartChoice {
  /// A part of a folder, whose name and settings are read there.
  init(from origin: PartOrigin) {
    self.init("")
    self.origin = origin
  }

  /// The weights that a loss may have, in words.
  package static let weights = "a finite number: 0, or 1e-37 to 1e12 in size"
  /// Whether a loss may have its weight.
  package var hasPossibleWeight: Bool { weight == 0 || (1e-37...1e12).contains(abs(weight)) }
}

extension Slot {
  /// Whether a library in another language can have a part for it.
  package var canBeForeign: Bool { [.data, .prior, .sampler, .loss].contains(self) }

  /// `an encoder`, for messages.
  package var noun: String {
    ("aeiou".contains(name.first ?? "x") ? "an " : "a ") + (self == .data ? "data set" : name)
  }
}
