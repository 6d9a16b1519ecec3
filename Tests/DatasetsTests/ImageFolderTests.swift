import Foundation
import LatentKit
import Testing

@testable import Datasets

private func load(_ values: [String: Value], from folder: URL? = nil) throws -> Dataset {
  try DatasetShelf.known.entry("images").load(values, from: folder, environment: [:])
}

/// Copies fixtures to places in a folder.
private func fill(_ folder: URL, _ files: [String: String]) throws {
  for (place, name) in files { try folder.appendingPathComponent(place).write(fixtureBytes(name)) }
}

/// A NumPy array of format version 1.
private func npy(_ type: String, _ shape: [Int], _ bytes: [UInt8]) -> [UInt8] {
  let lengths = shape.map { "\($0)," }.joined()
  let header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(lengths)), }\n"
  return [0x93] + Array("NUMPY".utf8) + [1, 0] + littleEndian(header.utf8.count, bytes: 2) + Array(header.utf8) + bytes
}

@Test func aFolderPerClassIsReadInOneOrder() throws {
  try withFolder { folder in
    try fill(
      folder,
      [
        "10/b.png": "rgb.png", "10/a.PNG": "grey.png", "9/x.jpg": "grey.png", "9/y.png": "palette.png",
        "9/note.txt": "rgb.jpg",
      ])
    try FileManager.default.createSymbolicLink(
      at: folder.appendingPathComponent("9/z.png"), withDestinationURL: folder.appendingPathComponent("10/b.png"))
    let dataset = try load(["path": .string(folder.path)])
    // Numbers are sorted as such, 9 before 10; files by their code points, A before b.
    #expect(dataset.classNames == ["9", "10"] && dataset.test == nil)
    #expect(try dataset.train.labels?.ints() == [0, 0, 1, 1])
    #expect(dataset.inputShape == [3, 9, 13])
    let first = try fixtureBytes("grey.png.raw")
    let planes = try dataset.train.inputs.select(0).bytes()
    #expect(Array(planes) == first + first + first)
    let last = try dataset.train.inputs.select(3).permuted([1, 2, 0]).contiguous().bytes()
    #expect(try Array(last) == fixtureBytes("rgb.png.raw"))
    #expect(
      dataset.note
        == "data 'images': \(folder.lastPathComponent), left aside: 1 link and 1 other file, such as note.txt")
    #expect(try load(["colours": "grey"], from: folder).inputShape == [1, 9, 13])
    // Again, from the data folder, with the same bits.
    #expect(try load([:], from: folder).train.inputs.bytes() == dataset.train.inputs.bytes())
  }
}

@Test func classFoldersThatLookTheSameAreRefused() throws {
  try withFolder { folder in
    try fill(folder, ["caf\u{E9}/a.png": "grey.png", "cafe\u{301}/b.png": "grey.png", "tea/a.png": "grey.png"])
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    // File systems of a Mac count them as one.
    guard names.count == 3 else { return }
    let found = message { _ = try load(["path": .string(folder.path)]) }
    #expect(
      found?.contains("written in two ways, U+00E9 and U+0301") == true || found?.contains("U+0301 and U+00E9") == true)
  }
}

@Test func partsAreFoldersOrCutBySeed() throws {
  try withFolder { folder in
    try fill(
      folder,
      [
        "train/a/1.png": "grey.png", "train/b/1.png": "grey16.png", "test/b/2.png": "bits.png",
        "val/a/3.png": "grey.png",
      ])
    let dataset = try load([:], from: folder)
    #expect(dataset.train.count == 2 && dataset.validation?.count == 1 && dataset.inputShape == [1, 9, 13])
    #expect(try dataset.test?.labels?.ints() == [1])
    #expect(try Array(#require(dataset.test).inputs.bytes()) == fixtureBytes("bits.png.raw"))
    try fill(folder, ["test/c/1.png": "grey.png"])
    #expect(message { _ = try load([:], from: folder) }?.hasSuffix("does not have, expected one of a, b") == true)
    try fill(folder, ["other/1.png": "grey.png"])
    #expect(message { _ = try load([:], from: folder) }?.contains("lies beside the folder 'train'") == true)
  }
  try withFolder { folder in
    // A class of trains, and a seeded cut.
    for number in 0..<8 { try fill(folder, ["train/\(number).png": "grey.png", "car/\(number).png": "grey16.png"]) }
    let dataset = try load([:], from: folder)
    #expect(dataset.classNames == ["car", "train"] && dataset.train.count == 16 && dataset.test == nil)
    let cut = try dataset.prepared(DataSettings(), seed: 3)
    #expect(cut.test?.count == 4 && cut.origin.description.hasPrefix(folder.path))
  }
}

@Test func foldersThatAreNotSuchAreRefused() throws {
  try withFolder { folder in
    func problem(_ values: [String: Value] = [:]) -> String? { message { _ = try load(values, from: folder) } }
    #expect(problem()?.contains("has no PNG or JPEG files, expected a folder of them") == true)
    try fill(folder, ["a/1.png": "grey.png"])
    try FileManager.default.createDirectory(at: folder.appendingPathComponent("b"), withIntermediateDirectories: true)
    #expect(problem()?.contains("/b: has no PNG or JPEG files, expected those of one class") == true)
    try fill(folder, ["b/1.png": "rgb.jpg"])
    #expect(
      problem()?.contains("has 24 x 16 pixels, expected 13 x 9 as 1.png; set data.size, as in data.size=9") == true)
    #expect(try load(["size": 8], from: folder).inputShape == [3, 8, 8])
    #expect(try load(["size": 8, "width": 12, "fit": "stretch"], from: folder).inputShape == [3, 8, 12])
    #expect(problem(["width": 12])?.hasPrefix("data.with.width: found 12, expected data.size beside it") == true)
    #expect(problem(["pad": 2]) != nil)
    #expect(problem(["embedded": true])?.contains("is for sets that ship with the package") == true)
    #expect(problem(["separator": "comma"])?.contains("is for tables, and 'images' has images") == true)
    // Damaged files are named and counted.
    try folder.appendingPathComponent("a/2.png").write(Array(fixtureBytes("grey.png").prefix(80)))
    try folder.appendingPathComponent("b/0.jpg").write([1, 2, 3])
    let refused = problem(["size": 8])
    #expect(refused?.contains("/a/2.png: is truncated or corrupted: ") == true)
    #expect(refused?.hasSuffix("(and so are 1 more files); data.damaged=skip leaves such files out") == true)
    let skipped = try load(["size": 8, "damaged": "skip"], from: folder)
    #expect(skipped.train.count == 2 && skipped.note?.contains("2 damaged files skipped: 2.png, 0.jpg") == true)
    try folder.appendingPathComponent("c/0.jpg").write([1, 2, 3])
    #expect(problem(["size": 8, "damaged": "skip"])?.contains("/c: has no file that can be decoded") == true)
    try fill(folder, ["loose.png": "grey.png"])
    #expect(problem()?.contains("has pictures, such as loose.png, beside class folders") == true)
  }
  #expect(
    message { _ = try load([:]) }?.contains("expected the folder of the images, as in data.path=pictures") == true)
  #expect(message { _ = try load(["path": "nowhere"]) }?.contains("there is no such folder or file") == true)
}

@Test func picturesWithoutClassesHaveNoLabels() throws {
  try withFolder { folder in
    try fill(folder, ["1.png": "grey.png", "2.png": "bits.png"])
    let dataset = try load([:], from: folder)
    #expect(dataset.train.count == 2 && dataset.train.labels == nil && dataset.classNames == nil)
  }
}

@Test func archivesOfImagesAreReadByTheirNames() throws {
  try withFolder { folder in
    let file = folder.appendingPathComponent("x.npz")
    func read(_ arrays: [(String, [UInt8])], _ values: [String: Value] = [:]) throws -> Dataset {
      try file.write(zip(arrays.map { ("\($0.0).npy", $0.1) }))
      return try load(values.merging(["path": .string(file.path)]) { $1 })
    }
    func problem(_ arrays: [(String, [UInt8])]) -> String? { message { _ = try read(arrays) } }
    let pixels = noise(6 * 12)
    let labels = npy("|u1", [6], [3, 5, 3, 5, 3, 5])
    // As Keras keeps MNIST.
    let keras = try read([
      ("x_test", npy("|u1", [2, 3, 4], Array(pixels.prefix(24)))), ("x_train", npy("|u1", [6, 3, 4], pixels)),
      ("y_train", labels), ("y_test", npy("|u1", [2], [5, 3])),
    ])
    #expect(keras.train.inputs.shape == [6, 1, 3, 4] && keras.classNames == ["3", "5"])
    #expect(try Array(keras.train.inputs.bytes()) == pixels)
    #expect(try keras.test?.labels?.ints() == [1, 0])
    // Channels last, labels in a column, as MedMNIST.
    let colour = try read([
      ("train_images", npy("|u1", [6, 2, 2, 3], pixels)), ("train_labels", npy("|u1", [6, 1], [3, 5, 3, 5, 3, 5])),
    ])
    #expect(colour.train.inputs.shape == [6, 3, 2, 2] && colour.test == nil)
    #expect(try colour.train.inputs.select(1).permuted([1, 2, 0]).contiguous().bytes() == Data(pixels[12..<24]))
    // Truth values and fractions become bytes; a size and colours are made.
    let truth = try read([("images", npy("|b1", [6, 2, 2], pixels.prefix(24).map { $0 & 1 }))])
    #expect(try Array(truth.train.inputs.bytes()) == pixels.prefix(24).map { $0 & 1 == 1 ? 255 : 0 })
    #expect(truth.train.labels == nil)
    func floats(_ values: [Float]) -> [UInt8] { values.flatMap { littleEndian(Int($0.bitPattern)) } }
    let fractions = try read(
      [("x", npy("<f4", [1, 2, 2], floats([0, 0.5, 0.25, 1])))], ["size": 1, "colours": "rgb"])
    #expect(try fractions.train.inputs.ints() == [112, 112, 112])  // the mean of 0, 128, 64, 255

    #expect(problem([("x", npy("<f4", [1, 1, 2], floats([.nan, 0])))])?.contains("found nan at position 0") == true)
    #expect(
      problem([("x", npy("<f4", [1, 1, 2], floats([0.5, 3])))])?.contains("found 0.5 at position 0 beside") == true)
    #expect(problem([("x", npy("<f4", [1, 1, 2], floats([0, 256])))])?.contains("found 256.0 at position 1") == true)
    #expect(
      problem([("x", npy("|u1", [6, 12], pixels))])?.contains("has the shape [6, 12], expected [count, height") == true)
    #expect(
      problem([("z", npy("|u1", [6, 3, 4], pixels))])?.contains("holds arrays z, expected images called x") == true)
    #expect(problem([("x", npy("|u1", [3, 6, 4], pixels)), ("y", labels)])?.contains("3 images and 6 labels") == true)
    #expect(
      problem([
        ("x_train", npy("|u1", [6, 3, 4], pixels)), ("y_train", labels), ("x_test", npy("|u1", [6, 3, 4], pixels)),
        ("y_test", npy("|u1", [6], [3, 3, 3, 3, 3, 4])),
      ])?.contains("array 'y_test': found label 4 at position 5, expected one of the training part's: 3, 5") == true)
    let bytes = zip([("x.npy", npy("|u1", [6, 3, 4], pixels))])
    for length in stride(from: 0, to: bytes.count, by: 5) {
      #expect(message { _ = try ImageArchive(Data(bytes.prefix(length)), url: file).dataset() } != nil)
    }
  }
}
