import Files
import Foundation
import LatentKit

/// Omniglot: the published archives of PNG files, or arrays `images` `[characters, 20, 105, 105]` in `.npz` files.
///
/// Ink is bright (255) and paper dark, whatever the file has. Without settings it is what the literature calls
/// Omniglot-28, derived anew: 28x28, classes are alphabets, drawers 1 to 15 for training and 16 to 20 for the test.
struct OmniglotFiles: PublishedImages {
  /// The meaning of a label.
  enum Classes: String, Choice { case alphabets, characters }
  /// The test part.
  enum Split: String, Choice { case drawers, alphabets }

  @Setting("Height and width in pixels; below 105 an image is averaged over areas.", .within(8...105))
  var size = 28
  @Setting("Labels are the 50 'alphabets', or the 1,623 'characters'.")
  var classes = Classes.alphabets
  @Setting("Test on 'drawers' 16 to 20 of each character, or on the 20 'alphabets' that are published for evaluation.")
  var split = Split.drawers

  func dataset(_ description: DatasetDescription, _ files: [URL]) throws -> Dataset {
    let halves = try zip(files, [OmniglotAlphabets.background, OmniglotAlphabets.evaluation]).map {
      try OmniglotHalf(contentsOf: $0, $1)
    }
    return try dataset(description, of: halves.flatMap(\.drawings), files)
  }

  /// Makes the parts of drawings, by the settings.
  func dataset(
    _ description: DatasetDescription, of drawings: [OmniglotHalf.Drawing], _ files: [URL]
  ) throws -> Dataset {
    let characters = OmniglotAlphabets.characters
    let names =
      classes == .alphabets
      ? description.classNames : characters.map { "\(OmniglotAlphabets.names[$0.alphabet]) \($0.number)" }
    func part(_ isWanted: (OmniglotHalf.Drawing) -> Bool) throws -> Examples {
      let chosen = drawings.filter(isWanted)
      var pixels = Data(capacity: chosen.count * size * size)
      for drawing in chosen { try pixels.append(resized(drawing)) }
      let labels = chosen.map { Int64(classes == .alphabets ? characters[$0.character].alphabet : $0.character) }
      return try Examples(
        inputs: Tensor(bytes: pixels, shape: [chosen.count, 1, size, size], dtype: .uint8), labels: Tensor(labels))
    }
    let boundary = OmniglotAlphabets.background.reduce(0) { $0 + $1.count }
    let isTest: (OmniglotHalf.Drawing) -> Bool =
      split == .drawers ? { $0.drawer >= 15 } : { $0.character >= boundary }
    return try Dataset(
      name: description.name, title: size == 28 ? description.title : "Omniglot", train: part { !isTest($0) },
      test: part(isTest), classNames: names, origin: .files(files))
  }

  private func resized(_ drawing: OmniglotHalf.Drawing) throws -> Data {
    guard size != 105 else { return drawing.pixels }
    let image = try drawing.pixels.withUnsafeBytes {
      try DecodedImage(
        $0.bindMemory(to: UInt8.self), width: 105, height: 105, channels: 1, path: "omniglot")
    }
    return Data(try image.resized(.init(width: 105, height: 105), width: size, height: size, path: "omniglot"))
  }
}

/// The drawings of one of the two files, by character, then by drawer.
struct OmniglotHalf {
  /// One drawing.
  struct Drawing {
    /// The number of the character among all of both files.
    let character: Int
    /// From 0 to 19.
    let drawer: Int
    /// 105 x 105; ink is 255.
    let pixels: Data
  }

  let drawings: [Drawing]

  /// - Throws: `FileError` for a file that is damaged, or lacks a character or a drawer.
  init(contentsOf url: URL, _ alphabets: [OmniglotAlphabets.Alphabet]) throws {
    let bytes = try ByteReader(url).readAll(within: .usual)
    try self.init(bytes, isArchiveOfArrays: url.pathExtension == "npz", alphabets, path: url.path)
  }

  init(_ bytes: Data, isArchiveOfArrays: Bool, _ alphabets: [OmniglotAlphabets.Alphabet], path: String) throws {
    drawings =
      isArchiveOfArrays
      ? try OmniglotHalf.arrays(bytes, alphabets, path) : try OmniglotHalf.pictures(bytes, alphabets, path)
  }

  private static func arrays(
    _ bytes: Data, _ alphabets: [OmniglotAlphabets.Alphabet], _ path: String
  ) throws -> [Drawing] {
    let array = try NumpyArchive(bytes, path: path).array("images", asBytes: true)
    let count = alphabets.reduce(0) { $0 + $1.count }
    guard array.shape == [count, 20, 105, 105], let stored = array.bytes, array.isTruth else {
      throw FileError(
        path, "holds images of shape \(array.shape), expected truth values [\(count), 20, 105, 105], true for paper")
    }
    let size = 105 * 105
    // The file's order of alphabets is another one; a label is the number of the character in the sorted order.
    let first = OmniglotAlphabets.firstCharacter
    var order: [(character: Int, place: Int)] = []
    var place = 0
    for alphabet in OmniglotAlphabets.inArrayOrder(alphabets) {
      for number in 0..<alphabet.count { order.append(((first[alphabet.name] ?? 0) + number, place + number)) }
      place += alphabet.count
    }
    let isInk = try Tensor(bytes: stored, shape: [array.count], dtype: .uint8) .== 0
    let ink = try (isInk.to(.uint8) * Tensor.scalar(255, dtype: .uint8)).bytes()
    return ink.withUnsafeBytes { pixels in
      order.sorted { $0.character < $1.character }.flatMap { character, place -> [Drawing] in
        (0..<20).map { drawer -> Drawing in
          let part = UnsafeRawBufferPointer(rebasing: pixels[((place * 20 + drawer) * size)...].prefix(size))
          return Drawing(character: character, drawer: drawer, pixels: Data(part))
        }
      }
    }
  }

  /// PNG files called `…/Alphabet/character01/0001_01.png`; the last number is the drawer's.
  private static func pictures(
    _ bytes: Data, _ alphabets: [OmniglotAlphabets.Alphabet], _ path: String
  ) throws -> [Drawing] {
    var found: [[Drawing?]] = alphabets.flatMap { Array(repeating: Array(repeating: nil, count: 20), count: $0.count) }
    let first = OmniglotAlphabets.firstCharacter
    let start = alphabets.first.flatMap { first[$0.name] } ?? 0
    try ZipArchive.read(bytes, path: path) { archive in
      for name in try archive.names() where name.hasSuffix(".png") && !name.hasPrefix("__MACOSX") {
        guard let match = name.firstMatch(of: /([^\/]+)\/character([0-9]{2})\/[0-9]+_([0-9]{2})\.png$/),
          let alphabet = alphabets.first(where: { $0.name == match.1 }), let number = Int(match.2),
          let drawer = Int(match.3), (1...alphabet.count).contains(number), (1...20).contains(drawer)
        else { throw FileError(path, "holds '\(name)', expected Alphabet/character01/0001_01.png") }
        let place = "\(path), \(name)"
        let image = try DecodedImage(archive.contents(of: name, .usual, place: place), limit: 105 * 105, path: place)
        image.makeGrey()
        guard image.width == 105, image.height == 105 else {
          throw FileError(place, "has \(image.width) x \(image.height) pixels, expected 105 x 105")
        }
        let character = (first[alphabet.name] ?? 0) + number - 1
        found[character - start][drawer - 1] = Drawing(
          character: character, drawer: drawer - 1, pixels: Data(image.pixels.map { 255 - $0 }))
      }
    }
    guard let missing = found.firstIndex(where: { $0.contains { $0 == nil } }) else {
      return found.flatMap { $0.compactMap { $0 } }
    }
    let character = OmniglotAlphabets.characters[start + missing]
    throw FileError(
      path,
      "lacks drawings of \(OmniglotAlphabets.names[character.alphabet]), character \(character.number), expected 20; get "
        + "the file again")
  }
}
