import Files
import Foundation
import LatentKit
import Testing

@testable import Datasets

private func has(_ file: String) -> Bool { fullData?.appendingPathComponent(file).exists ?? false }
private func md5(_ tensor: Tensor?) throws -> String {
  try Checksum(.md5, of: #require(tensor).contiguous().bytes()).digits
}
private func entry(_ name: String, _ values: [String: Value] = [:], from folder: URL? = fullData) throws -> Dataset {
  try DatasetShelf.known.entry(name).load(values, from: folder, environment: [:])
}

// The checksums are those of the arrays that SciPy and NumPy read from the same files.
@Test(.enabled(if: has("caltech101-silhouettes/caltech101_silhouettes_28_split1.mat")))
func silhouettesAreThoseThatSciPyReads() throws {
  let dataset = try entry("caltech101-silhouettes")
  #expect(try md5(dataset.train.inputs) == "94de217c8533236eb02d689b5da8357f")
  #expect(try md5(dataset.train.labels) == "f51125b971b2778509468f463f27715c")
  #expect(try md5(dataset.validation?.inputs) == "88d46e6c376f6b03ba8a81f25b3dffda")
  #expect(try md5(dataset.test?.inputs) == "bf2d3c709f83251123dcba9d1a794e6b")
  #expect(try md5(dataset.test?.labels) == "040efdabf5f3e7a3c3048d9d603fac30")
  #expect(dataset.classNames?.count == 101 && dataset.classNames?[100] == "yin yang")
  let merged = try entry("caltech101-silhouettes", ["mergeValidation": true, "invert": false])
  #expect(merged.train.count == 6364 && merged.validation == nil)
  #expect(
    try merged.train.inputs.slice(0..<4100).to(.int64).sum().item()
      == 4100 * 784 * 255 - dataset.train.inputs.to(.int64).sum().item())
  let report = try DatasetVerifier.verify("caltech101-silhouettes", in: fullData)
  #expect(report.isGood && report.files[0].isAsPublished == true, "\(report)")
  #expect(report.parts.map(\.count) == [4100, 2264, 2307])
}

@Test(.enabled(if: has("cifar10/data_batch_1.bin.gz") && !has("cifar10/data_batch_2.bin.gz")))
func aSubsetOfCIFARIsReadAndSaidToBeOne() throws {
  let dataset = try entry("cifar10")
  #expect(try md5(dataset.train.inputs) == "e7dd3d71d997ce671b2669dda33abe2a")
  #expect(try md5(dataset.train.labels) == "28761efe1ae2edf22af0289d517d9230")
  #expect(try md5(dataset.test?.inputs) == "496cc444c0e47eef8ad04535cb045a7c")
  #expect(
    dataset.note?.contains("has 10,000 + 2,000 images here, of 50,000 + 10,000; 'host data fetch cifar10'") == true)
  let report = try DatasetVerifier.verify("cifar10", in: fullData)
  #expect(report.isGood && report.parts[1].histogram == [Int](repeating: 200, count: 10), "\(report)")
}

@Test func cifarFilesMustBeWholeRecords() throws {
  try withFolder { folder in
    func write(_ name: String, _ records: [[UInt8]]) throws {
      try folder.appendingPathComponent("cifar10/\(name)").write(gzip(records.flatMap { $0 }))
    }
    let record = [UInt8(3)] + noise(3072)
    try write("data_batch_1.bin.gz", [record, [9] + noise(3072)])
    try write("test_batch.bin.gz", [record])
    let dataset = try entry("cifar10", from: folder)
    #expect(try Array(dataset.train.inputs.select(0).bytes()) == noise(3072))
    #expect(try dataset.train.labels?.ints() == [3, 9] && dataset.classNames?[3] == "cat")
    try write("test_batch.bin.gz", [[10] + noise(3072)])
    #expect(message { _ = try entry("cifar10", from: folder) }?.contains("found label 10 at position 0") == true)
    try write("test_batch.bin.gz", [Array(record.dropLast())])
    #expect(message { _ = try entry("cifar10", from: folder) }?.contains("expected records of 3,073") == true)
    // Some of the others: no subset, but a set with gaps.
    try write("data_batch_3.bin.gz", [record])
    #expect(
      message { _ = try entry("cifar10", from: folder) }?.contains(
        "missing data_batch_2.bin, data_batch_4.bin, data_batch_5.bin") == true)
    #expect(message { _ = try entry("cifar10", ["embedded": true], from: folder) }?.contains("does not") == true)
  }
}

@Test(.enabled(if: has("omniglot/images_background.npz")))
func omniglotIsThatOfNumPyUnderEachSetting() throws {
  let small = try entry("omniglot")
  #expect(small.train.inputs.shape == [24_345, 1, 28, 28] && small.test?.count == 8_115)
  #expect(small.classNames?.count == 50 && small.classNames?[21] == "Latin" && small.classNames?[49] == "ULOG")
  #expect(try md5(small.train.labels) == "ed3d151d68e7a881e6efca6634a9eda3")
  // Sums by NumPy in Float32; a value that ends in a half may be rounded the other way.
  let sums = try [small.train, #require(small.test)].map { try $0.inputs.to(.int64).sum().item() }
  #expect(abs(sums[0] - 393_054_878) < 2000 && abs(sums[1] - 129_434_098) < 1000, "\(sums)")
  // Without settings it is what `verify` counts.
  let known = try DatasetLibrary.description("omniglot")
  #expect(known.trainCount == small.train.count && known.testCount == small.test?.count)
  let full = try entry("omniglot", ["size": 105, "classes": "characters"])
  #expect(try md5(full.train.inputs) == "4f6671e6ddc745a20523fc9c4daf4082")
  #expect(try md5(full.test?.inputs) == "714a8cf977178835471e1867537fb09a")
  #expect(try md5(full.train.labels) == "f6a539bbdd6bdfb45b1e48d00a822f6b")
}

@Test func theArchiveOfPicturesIsReadAsOmniglotToo() throws {
  let alphabets = [OmniglotAlphabets.Alphabet(name: "Tagalog", count: 2)]
  // Ink is black on white; drawings differ by one pixel's place.
  func picture(_ place: Int) throws -> [UInt8] {
    var pixels = [UInt8](repeating: 255, count: 105 * 105)
    pixels[place] = 0
    func chunk(_ name: String, _ bytes: [UInt8]) -> [UInt8] {
      bigEndian([bytes.count]) + Array(name.utf8) + bytes + bigEndian([crc(Array(name.utf8) + bytes)])
    }
    let rows = (0..<105).flatMap { [0] + pixels[($0 * 105)..<($0 * 105 + 105)] }
    var (a, b) = (1, 0)
    for byte in rows {
      a = (a + Int(byte)) % 65521
      b = (b + a) % 65521
    }
    let stream =
      [0x78, 1, 1] + littleEndian(rows.count, bytes: 2) + littleEndian(~rows.count, bytes: 2) + rows
      + bigEndian([b << 16 | a])
    return [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10] + chunk("IHDR", bigEndian([105, 105]) + [8, 0, 0, 0, 0])
      + chunk("IDAT", stream) + chunk("IEND", [])
  }
  var files = try (1...2).flatMap { number in
    try (1...20).map { drawer in
      (
        name: "images_background/Tagalog/character0\(number)/09\(number)0_\(drawer < 10 ? "0" : "")\(drawer).png",
        bytes: try picture(100 * number + drawer)
      )
    }
  }
  files.reverse()
  let half = try OmniglotHalf(Data(zip(files)), isArchiveOfArrays: false, alphabets, path: "x.zip")
  let first = try #require(OmniglotAlphabets.firstCharacter["Tagalog"])
  #expect(half.drawings.map(\.character) == [first, first + 1].flatMap { Array(repeating: $0, count: 20) })
  #expect(half.drawings.map(\.drawer) == Array(0..<20) + Array(0..<20))
  for (index, drawing) in half.drawings.enumerated() {
    #expect(drawing.pixels.firstIndex(of: 255) == 100 * (index / 20 + 1) + index % 20 + 1)
    #expect(drawing.pixels.count { $0 == 255 } == 1)
  }
  func problem(_ files: [(name: String, bytes: [UInt8])]) -> String? {
    message { _ = try OmniglotHalf(Data(zip(files)), isArchiveOfArrays: false, alphabets, path: "x.zip") }
  }
  #expect(problem(Array(files.dropLast()))?.contains("lacks drawings of Tagalog, character 1, expected 20") == true)
  #expect(problem(files + [("images_background/Klingon/character01/1_01.png", [])])?.contains("Klingon") == true)
}

@Test func alphabetsAddUpToThePublishedCounts() {
  func count(_ alphabets: [OmniglotAlphabets.Alphabet]) -> Int { alphabets.map(\.count).reduce(0, +) }
  #expect(count(OmniglotAlphabets.background) == 964 && count(OmniglotAlphabets.evaluation) == 659)
  #expect(Set(OmniglotAlphabets.names).count == 50 && OmniglotAlphabets.characters.count == 1623)
}

@Test func anArchiveOfTarIsFetchedCheckedAndUnpacked() throws {
  let known = try DatasetLibrary.description("cifar10")
  try withFolder { folder in
    for file in known.files { try folder.appendingPathComponent("in/batches/\(file.name)").write([1] + noise(3072)) }
    try folder.appendingPathComponent("in/batches/readme.html").write([1])
    let archive = folder.appendingPathComponent("cifar.tar.gz")
    let input = folder.appendingPathComponent("in").path
    #expect(try Command("tar", ["-c", "-z", "-f", archive.path, "-C", input, "batches"]).run().status == 0)
    func set(_ checksum: Checksum) -> DatasetDescription {
      DatasetDescription(
        name: known.name, title: known.title, summary: known.summary, licence: known.licence,
        inputShape: known.inputShape, classNames: known.classNames, trainCount: 5, testCount: 1, files: known.files,
        folder: known.folder, mirrors: [], archiveChecksum: checksum, isEmbedded: false, isTransposed: false,
        firstLabel: 0, own: known.own, archiveKind: known.archiveKind)
    }
    func fetch(_ checksum: Checksum) throws -> [URL] {
      try DatasetFetcher.fetch(
        set(checksum), into: folder.appendingPathComponent("data"), from: [archive.absoluteString], tools: .init(),
        progress: { _ in })
    }
    #expect(message { _ = try fetch(.md5("00")) }?.contains("gave a file with checksum") == true)
    let files = try fetch(Checksum(.md5, of: archive))
    let found = try FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent("data/cifar10").path)
    #expect(found.sorted() == known.files.map(\.name).sorted() && files.count == 6)
    let dataset = try entry("cifar10", from: folder.appendingPathComponent("data"))
    #expect(try dataset.train.labels?.ints() == [1, 1, 1, 1, 1] && dataset.test?.count == 1)
  }
}
