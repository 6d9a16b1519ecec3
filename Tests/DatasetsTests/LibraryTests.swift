import Foundation
import LatentKit
import Testing

@testable import Datasets

private func load(_ name: String, from folder: URL?, embedded: Bool? = nil, data: String? = nil) throws -> Dataset {
  try DatasetLibrary.load(
    name, from: folder, embedded: embedded, environment: data.map { ["LATENTKIT_DATA": $0] } ?? [:])
}

// The sums and labels are printed by Scripts/make-embedded-data.
@Test(arguments: [
  ("mnist", 131_267_102, 24_889_073, 27_525, [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]),
  ("fashion-mnist", 287_231_516, 56_973_981, 76_247, [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]),
])
func theEmbeddedSetIsWholeAndBalanced(name: String, trainSum: Int, testSum: Int, firstSum: Int, labels: [Int]) throws {
  let dataset = try load(name, from: nil)
  #expect(dataset.train.inputs.shape == [5000, 1, 28, 28])
  #expect(dataset.test?.inputs.shape == [1000, 1, 28, 28])
  #expect(dataset.train.inputs.dtype == .uint8)
  #expect(dataset.classCount == 10)
  #expect(dataset.origin == .embedded(train: 5000, test: 1000))
  #expect(dataset.note?.contains("embedded subset of 5,000 + 1,000; 'host data fetch \(name)'") == true)
  // In Int64: Float32 cannot count so far.
  func sum(_ tensor: Tensor) throws -> Int { Int(try tensor.to(.int64).sum().item()) }
  #expect(try sum(dataset.train.inputs) == trainSum)
  #expect(try sum(try #require(dataset.test).inputs) == testSum)
  #expect(try sum(dataset.train.inputs.select(0)) == firstSum)
  let found = try #require(try dataset.train.labels?.ints())
  #expect(Array(found.prefix(10)) == labels)
  for label in 0..<10 { #expect(found.count { $0 == label } == 500) }
  let report = try DatasetVerifier.verify(name, environment: [:])
  #expect(report.isGood, "\(report)")
  #expect(report.files.allSatisfy { $0.isAsPublished == true })
  #expect(report.parts.map(\.histogram) == [[Int](repeating: 500, count: 10), [Int](repeating: 100, count: 10)])
}

@Test(.enabled(if: hasFullMNIST)) func theEmbeddedSetIsTheFirstOfEachClass() throws {
  let full = try DatasetLibrary.load("mnist", from: fullData)
  let embedded = try load("mnist", from: nil)
  #expect(full.note == nil)
  for (all, part, perClass) in [
    (full.train, embedded.train, 500), (try #require(full.test), try #require(embedded.test), 100),
  ] {
    var taken = [Int](repeating: 0, count: 10)
    var chosen: [Int] = []
    for (position, label) in try #require(try all.labels?.ints()).enumerated() where taken[label] < perClass {
      taken[label] += 1
      chosen.append(position)
    }
    let expected = try all.subset(Tensor(chosen.map(Int64.init)))
    #expect(try expected.inputs.bytes() == part.inputs.bytes())
    #expect(try expected.labels?.bytes() == part.labels?.bytes())
  }
}

@Test(.enabled(if: hasFullMNIST), arguments: ["mnist", "fashion-mnist"])
func theFullSetHasItsPublishedChecksumsAndCounts(name: String) throws {
  let report = try DatasetVerifier.verify(name, in: fullData)
  #expect(report.isGood, "\(report)")
  #expect(report.parts.map(\.count) == [60_000, 10_000])
  let known = try DatasetLibrary.description(name)
  #expect(report.files.map { Optional($0.byteCount) } == known.files.map(\.byteCount))
}

@Test func everyDescriptionIsConsistent() {
  #expect(Set(DatasetLibrary.known.map(\.name)).count == DatasetLibrary.known.count)
  for known in DatasetLibrary.known {
    if known.own == nil { #expect(known.files.count == (known.table == nil ? 4 : 1)) }
    #expect(Set(known.classNames).count == known.classCount, "\(known.name)")
  }
  let classes = Dictionary(uniqueKeysWithValues: DatasetLibrary.known.map { ($0.name, $0.classCount) })
  #expect(classes["emnist-letters"] == 26)
  #expect(classes["emnist-balanced"] == 47)
  #expect(classes["emnist-byclass"] == 62)
}

@Test func anUnknownNameIsRefusedWithTheNearest() {
  #expect(message { _ = try load("fashion-mnits", from: nil) }?.contains("Did you mean 'fashion-mnist'?") == true)
}

@Test(arguments: ["", "mnist"], [false, true])
func aSetIsFoundInItsFolderOrAbove(sub: String, plain: Bool) throws {
  let known = try DatasetLibrary.description("mnist")
  try withFolder { folder in
    try writeSet(known, in: folder.appendingPathComponent(sub), plain: plain)
    let dataset = try load("mnist", from: folder)
    #expect(dataset.train.count == 12)
    #expect(dataset.note == nil)
    guard case .files(let files) = dataset.origin else { return #expect(Bool(false), "found \(dataset.origin)") }
    #expect(files.map(\.lastPathComponent) == known.files.map { plain ? String($0.name.dropLast(3)) : $0.name })
    #expect(try load("mnist", from: nil, data: folder.path).train.count == 12)
    // The set that ships can be asked for, and the folder that is named goes first.
    #expect(try load("mnist", from: nil, embedded: true, data: folder.path).train.count == 5000)
    #expect(try load("mnist", from: folder, data: "/nowhere").train.count == 12)
  }
}

@Test func aMissingSetIsRefusedWithTheNamesOfItsFiles() throws {
  try withFolder { folder in
    let refused = message { _ = try load("mnist", from: folder) }
    #expect(refused?.contains("has no complete set 'mnist': missing train-images-idx3-ubyte.gz, train-labels") == true)
    #expect(refused?.contains("run 'host data fetch mnist', or put train-images-idx3-ubyte.gz") == true)
    #expect(refused?.contains("into \(folder.path)/mnist") == true)
    // A folder for all projects need not have every set…
    #expect(try load("mnist", from: nil, data: folder.path).train.count == 5000)
    #expect(message { _ = try load("mnist", from: nil, embedded: false, data: folder.path) } != nil)
    #expect(message { _ = try load("emnist-letters", from: nil, data: folder.path) } != nil)
    // …but a part of one is a mistake.
    try writeSet(DatasetLibrary.description("mnist"), in: folder.appendingPathComponent("mnist"))
    try FileManager.default.removeItem(at: folder.appendingPathComponent("mnist/t10k-labels-idx1-ubyte.gz"))
    let incomplete = message { _ = try load("mnist", from: nil, data: folder.path) }
    #expect(incomplete?.contains("missing t10k-labels-idx1-ubyte.gz; ") == true)
  }
  #expect(
    message { _ = try load("mnist", from: URL(fileURLWithPath: "/nowhere")) }?.contains("no such data folder") == true)
  #expect(
    message { _ = try load("emnist-digits", from: nil) }?.contains(
      "name a data folder, or set LATENTKIT_DATA to one, and") == true)
  #expect(
    message { _ = try load("emnist-digits", from: nil, embedded: true) }?.contains("does not ship with the package")
      == true)
}

@Test func aFolderOfMNISTDoesNotPassForFashion() throws {
  try withFolder { folder in
    try writeSet(DatasetLibrary.description("mnist"), in: folder.appendingPathComponent("mnist"))
    let refused = message { _ = try load("fashion-mnist", from: folder.appendingPathComponent("mnist")) }
    #expect(refused?.contains("has no complete set 'fashion-mnist'") == true)
  }
}

@Test func emnistImagesAreTurnedAndLabelsOfLettersStartAtZero() throws {
  let letters = try DatasetLibrary.description("emnist-letters")
  try withFolder { folder in
    // One image, stored column by column: a bar along the top is a run of the first byte of each column.
    var stored = [UInt8](repeating: 0, count: 784)
    for column in 0..<28 { stored[column * 28] = 200 }
    stored[3 * 28 + 5] = 7  // column 3, row 5
    for (part, labels) in [("train", [1, 26]), ("test", [2, 3])] as [(String, [UInt8])] {
      let images = idx([2, 28, 28], stored + stored)
      try folder.appendingPathComponent("emnist/emnist-letters-\(part)-images-idx3-ubyte.gz").write(gzip(images))
      try folder.appendingPathComponent("emnist/emnist-letters-\(part)-labels-idx1-ubyte.gz").write(
        gzip(idx([2], labels)))
    }
    let dataset = try load("emnist-letters", from: folder)
    let image = try dataset.train.inputs.select(1).ints()
    for y in 0..<28 {
      for x in 0..<28 { #expect(image[y * 28 + x] == (y == 0 ? 200 : y == 5 && x == 3 ? 7 : 0)) }
    }
    #expect(try dataset.train.labels?.ints() == [0, 25])
    #expect(dataset.train.labels?.dtype == .int64)
    #expect(dataset.classNames?[25] == "Z")
    #expect(letters.classCount == dataset.classCount)

    let wrong = folder.appendingPathComponent("emnist/emnist-letters-test-labels-idx1-ubyte.gz")
    try wrong.write(gzip(idx([2], [2, 0])))
    #expect(
      message { _ = try load("emnist-letters", from: folder) }
        == "\(wrong.path): found label 0 at position 1, expected 1 to 26")
    try wrong.write(gzip(idx([2], [27, 1])))
    #expect(message { _ = try load("emnist-letters", from: folder) }?.contains("found label 27 at position 0") == true)
  }
}

@Test func filesThatDoNotFitEachOtherAreRefused() throws {
  let known = try DatasetLibrary.description("mnist")
  try withFolder { folder in
    try writeSet(known, in: folder)
    let labels = folder.appendingPathComponent(known.files[1].name)
    try labels.write(gzip(idx([11], [UInt8](repeating: 1, count: 11))))
    let refused = message { _ = try load("mnist", from: folder) }
    #expect(refused?.contains("found 12 images, and 11 labels in train-labels-idx1-ubyte.gz") == true)
    try labels.write(gzip(idx([12], [UInt8](repeating: 10, count: 12))))
    #expect(
      message { _ = try load("mnist", from: folder) }?.contains("found label 10 at position 0, expected 0 to 9") == true
    )
    let report = try DatasetVerifier.verify("mnist", in: folder)
    #expect(!report.isGood)
    #expect(report.parts.map(\.name) == ["test"])
    #expect(report.description.contains("problem: \(labels.path): found label 10"))
    // Four checksums, a damaged training part, and a test part of 12.
    #expect(report.problems.count == 6)

    try writeSet(known, in: folder)
    try folder.appendingPathComponent(known.files[0].name).write(
      gzip(idx([12, 2, 2], [UInt8](repeating: 1, count: 48))))
    #expect(
      message { _ = try load("mnist", from: folder) }?.contains("found images of 2x2, expected 28x28 for 'mnist'")
        == true)
  }
}

@Test func aProgramWithoutItsResourcesSaysSo() throws {
  try withFolder { folder in
    let refused = message { _ = try EmbeddedData.folder("mnist", beside: [folder]) }
    #expect(refused?.contains("copy 'LatentKit_Datasets.resources' from its build folder to \(folder.path)") == true)
    let data = folder.appendingPathComponent("LatentKit_Datasets.resources/Embedded/mnist")
    try data.appendingPathComponent("MD5SUMS").write([])
    #expect(try EmbeddedData.folder("mnist", beside: [folder]).path == data.path)
  }
}
