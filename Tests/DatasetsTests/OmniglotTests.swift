import Files
import Foundation
import LatentKit
import Testing

@testable import Datasets

private func has(_ file: String) -> Bool { fullData?.appendingPathComponent(file).exists ?? false }

/// The last alphabet of the background has the characters up to 963, Angelic those from 964.
private let chosen = [0, 19, 20, 963, 964, 1622]

/// Drawings of a few characters by all drawers, each of one shade of grey.
private func drawings() -> [OmniglotHalf.Drawing] {
  chosen.enumerated().flatMap { position, character in
    (0..<20).map { drawer in
      OmniglotHalf.Drawing(
        character: character, drawer: drawer, pixels: Data(repeating: UInt8(20 * position + drawer), count: 105 * 105))
    }
  }
}

private func dataset(_ values: [String: Value]) throws -> Dataset {
  try OmniglotFiles(values, at: "data.with").dataset(
    DatasetLibrary.description("omniglot"), of: drawings(), [URL(fileURLWithPath: "/omniglot/x.npz")])
}

/// The shade of every image, which is that of all its pixels, also of one made smaller.
private func shades(_ examples: Examples?) throws -> [Int] {
  let examples = try #require(examples)
  let pixels = try examples.inputs.reshaped([examples.count, -1])
  #expect(try (pixels .== pixels.slice(0..<1, axis: 1)).all())
  return try pixels.slice(0..<1, axis: 1).reshaped([examples.count]).ints()
}

@Test func alphabetsForEvaluationAreTheTestPartAsAWhole() throws {
  for size in [28, 105] {
    let split = try dataset(["split": "alphabets", "size": .int(size)])
    #expect(split.inputShape == [1, size, size])
    #expect(try shades(split.train) == Array(0..<80) && shades(split.test) == Array(80..<120))
    let names = try #require(split.classNames)
    func alphabets(_ examples: Examples?) throws -> [String] {
      try #require(examples?.labels).ints().enumerated().filter { $0.offset % 20 == 0 }.map { names[$0.element] }
    }
    #expect(
      try alphabets(split.train) == [
        "Alphabet of the Magi", "Alphabet of the Magi", "Anglo-Saxon Futhorc", "Tifinagh",
      ])
    #expect(try alphabets(split.test) == ["Angelic", "ULOG"])
  }
  // By drawers, every character is in both parts.
  let drawers = try dataset(["classes": "characters"])
  #expect(try shades(drawers.train) == (0..<120).filter { $0 % 20 < 15 })
  #expect(try shades(drawers.test) == (0..<120).filter { $0 % 20 >= 15 })
  #expect(try drawers.test?.labels?.ints() == chosen.flatMap { Array(repeating: $0, count: 5) })
  #expect(drawers.classNames?[964] == "Angelic 1" && drawers.classNames?.count == 1623)
}

/// Places of alphabets that were found by looking at the characters of the background's `.npz` file.
@Test func alphabetsOfTheArraysBeginWhereTheirCharactersDo() {
  var (starts, next) = ([String: Int](), 0)
  for alphabet in OmniglotAlphabets.inArrayOrder(OmniglotAlphabets.background) {
    starts[alphabet.name] = next
    next += alphabet.count
  }
  let known = [
    "Braille": 191, "Greek": 393, "Japanese_(hiragana)": 487, "Japanese_(katakana)": 595, "Latin": 682, "Sanskrit": 850,
    "Tifinagh": 909,
  ]
  #expect(known.allSatisfy { starts[$0.key] == $0.value } && next == 964)
}

@Test(.enabled(if: has("omniglot/images_background.npz"), "needs the files of Omniglot under LATENTKIT_DATA"))
func omniglotSplitByAlphabetsSharesNoClassBetweenItsParts() throws {
  let entry = try DatasetShelf.known.entry("omniglot")
  let split = try entry.load(["split": "alphabets"], from: fullData, environment: [:])
  let test = try #require(split.test)
  // 964 and 659 characters by 20 drawers.
  #expect(split.train.count == 19_280 && test.count == 13_180)
  func counts(_ examples: Examples, _ range: Range<Int>) throws -> [Int] {
    let counts = try examples.labelledCounts(50)
    #expect(counts.indices.allSatisfy { range.contains($0) == (counts[$0] > 0) })
    return range.map { counts[$0] }
  }
  #expect(try counts(split.train, 0..<30) == OmniglotAlphabets.background.map { 20 * $0.count })
  #expect(try counts(test, 30..<50) == OmniglotAlphabets.evaluation.map { 20 * $0.count })
  // The same images in other parts.
  let drawers = try entry.load([:], from: fullData, environment: [:])
  func sum(_ dataset: Dataset) throws -> Double {
    try [dataset.train, #require(dataset.test)].map { try $0.inputs.to(.int64).sum().item() }.reduce(0, +)
  }
  #expect(try sum(split) == sum(drawers))
  let report = try DatasetVerifier.verify("omniglot", in: fullData, environment: [:])
  #expect(report.isGood && report.parts.map(\.count) == [24_345, 8_115], "\(report)")
  #expect(
    report.parts[0].histogram == OmniglotAlphabets.background.map { 15 * $0.count }
      + OmniglotAlphabets.evaluation.map { 15 * $0.count })
  #expect(report.description.contains("Alphabet of the Magi 300, Anglo-Saxon Futhorc 435"))
}

@Test func aDescriptionSaysTheSizeOfItsSet() throws {
  func size(_ name: String) throws -> String { try DatasetLibrary.description(name).size }
  #expect(try size("cifar10") == "50,000 + 10,000 examples of 3x32x32, 10 classes")
  #expect(
    try size("caltech101-silhouettes")
      == "4,100 + 2,307 examples, and 2,264 for validation, of 1x28x28, 101 classes")
  #expect(try size("olsson") == "382 examples of 532, 9 classes")
}

@Test func theVerifierCountsAWholeSetAndNamesWhatIsDamaged() throws {
  try withFolder { folder in
    func write(_ name: String, _ bytes: [UInt8]) throws {
      try folder.appendingPathComponent("cifar10/\(name)").write(bytes)
    }
    func verify() throws -> DatasetVerifier.Report {
      try DatasetVerifier.verify("cifar10", in: folder, environment: [:])
    }
    // Two files are a subset, of which no count is known.
    for (name, label) in [("data_batch_1", 3), ("test_batch", 5)] {
      try write("\(name).bin", [UInt8(label)] + noise(3072))
    }
    let subset = try verify()
    #expect(subset.isGood && subset.remark?.contains("has 1 + 1 images here, of 50,000 + 10,000") == true)
    for number in 2...5 { try write("data_batch_\(number).bin", [UInt8(number)] + noise(3072)) }
    let whole = try verify()
    #expect(
      whole.problems == [
        "found 5 training images, expected 50,000", "found 1 test images, expected 10,000",
      ])
    #expect(whole.parts.map(\.histogram) == [[0, 0, 1, 2, 1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]])
    #expect(
      whole.description.contains("5 of 3x32x32, per class [airplane 0, automobile 0, bird 1, cat 2, deer 1, dog 1,"))
    #expect(whole.files.allSatisfy { $0.byteCount == 3073 && $0.isAsPublished == nil })
    try write("data_batch_2.bin", [10] + noise(3072))
    let damaged = try verify()
    #expect(
      !damaged.isGood && damaged.parts.isEmpty
        && damaged.problems.first?.contains("data_batch_2.bin: found label 10 at position 0") == true)
  }
}
