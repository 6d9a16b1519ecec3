import Files
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
        == "data 'images': \(folder.lastPathComponent), left aside: 1 link (z.png) and 1 other file (note.txt)")
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
    #expect(
      refused?.hasSuffix("; 1 more file cannot be decoded, such as 0.jpg; data.damaged=skip leaves such files out")
        == true)
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

@Test func whatIsLeftAsideIsNamedByItsKindAndNotesOfTheSystemAreNot() throws {
  try withFolder { folder in
    try fill(
      folder,
      [
        "a/1.png": "grey.png", "a/.DS_Store": "bits.png", "a/Thumbs.db": "bits.png", "a/._1.png": "bits.png",
        ".cache/1.png": "bits.png", "desktop.ini": "bits.png",
      ])
    #expect(try load([:], from: folder).note == nil)
    try fill(
      folder, ["a/2.webp": "bits.png", "a/3.GIF": "bits.png", "a/deep/4.png": "grey.png", "a/b.txt": "bits.png"])
    let note = try load([:], from: folder).note
    #expect(
      note?.hasSuffix(
        "left aside: 2 pictures of other formats (2.webp, …) and 1 folder inside a class folder (deep) and 1 other file "
          + "(b.txt)") == true, "\(note ?? "")")
    // An empty class folder is not blamed for what lies in the others.
    try FileManager.default.createDirectory(at: folder.appendingPathComponent("e"), withIntermediateDirectories: true)
    #expect(message { _ = try load([:], from: folder) }?.contains("/e: has no PNG or JPEG files, expected") == true)
    try fill(folder, ["e/x/1.png": "grey.png"])
    #expect(
      message { _ = try load([:], from: folder) }?.contains(
        "/e: has no PNG or JPEG files; left aside: 1 folder inside a class folder (x), expected") == true)
  }
  try withFolder { folder in
    try fill(folder, ["Training/a/1.png": "grey.png", "Testing/a/1.png": "bits.png", "Valid/a/2.png": "grey.png"])
    let dataset = try load([:], from: folder)
    #expect(dataset.test?.count == 1 && dataset.validation?.count == 1 && dataset.classNames == ["a"])
    try fill(folder, ["test/a/1.png": "grey.png"])
    #expect(
      message { _ = try load([:], from: folder) }?.contains("has folders 'Testing' and 'test', expected one") == true)
    try folder.appendingPathComponent("Training/a/0.png").write([])
    try FileManager.default.removeItem(at: folder.appendingPathComponent("test"))
    #expect(message { _ = try load([:], from: folder) }?.contains("0.png: is empty, expected a PNG or JPEG") == true)
  }
}

@Test func theDigestFollowsNamesAndBytesOfAllFilesAndNothingElse() throws {
  try withFolder { parent in
    let (one, other) = (parent.appendingPathComponent("one"), parent.appendingPathComponent("other"))
    let files = ["train/a/1.png": "grey.png", "train/b/2.png": "bits.png", "test/a/3.png": "grey16.png"]
    for folder in [one, other] { try fill(folder, files) }
    func digest(_ values: [String: Value] = ["damaged": "skip"]) throws -> String {
      try #require(load(values, from: other).digest)
    }
    let first = try #require(load([:], from: one).digest)
    #expect(first.count == 64)
    #expect(try digest() == first && digest(["size": 8, "fit": "pad"]) == first)
    // By another path to it, and with a file that is no picture.
    #expect(try load(["path": "one/../one/"], from: parent).digest == first)
    try fill(other, ["train/a/note.txt": "grey.png"])
    #expect(try digest() == first)
    func changed(_ change: () throws -> Void, back: () throws -> Void) throws -> Bool {
      try change()
      let found = try digest()
      try back()
      return try found != first && digest() == first
    }
    let (a, test) = (other.appendingPathComponent("train/a"), other.appendingPathComponent("test/a/3.png"))
    let (moved, manager) = (a.appendingPathComponent("9.png"), FileManager.default)
    #expect(
      try changed {
        try fill(other, ["test/a/3.png": "grey.png"])
      } back: {
        try fill(other, files)
      })
    #expect(
      try changed {
        try manager.moveItem(at: a.appendingPathComponent("1.png"), to: moved)
      } back: {
        try manager.moveItem(at: moved, to: a.appendingPathComponent("1.png"))
      })
    #expect(
      try changed {
        try fill(other, ["train/a/9.png": "grey.png"])
      } back: {
        try manager.removeItem(at: moved)
      })
    // A damaged file counts too: once it is repaired it is an example.
    #expect(
      try changed {
        try moved.write([1])
      } back: {
        try manager.removeItem(at: moved)
      })
    // A byte behind the picture's end.
    #expect(
      try changed {
        try test.write(fixtureBytes("grey16.png") + [0])
      } back: {
        try fill(other, files)
      })
    // An archive's is that of its bytes.
    let file = parent.appendingPathComponent("x.npz")
    try file.write(zip([("x.npy", npy("|u1", [2, 2, 2], noise(8)))]))
    #expect(try load(["path": .string(file.path)]).digest == Checksum(.sha256, of: Data(contentsOf: file)).digits)
  }
}

@Test func moreThanMemoryHoldsIsRefusedBeforeAllIsDecoded() throws {
  try withFolder { folder in
    try fill(folder, ["a/0.png": "rgb.png", "b/1.png": "rgb.png"])
    // Decoding would say that this one is damaged.
    try folder.appendingPathComponent("b/2.png").write([1, 2, 3])
    var fit = ImageFit()
    func problem() -> String? {
      message { _ = try ImageFolders(folder).dataset(fit, pixels: 1000, damaged: .refuse) }
    }
    fit.memory = 3 * 13 * 9 * 3
    #expect(problem()?.contains("b/2.png: is neither a PNG nor a JPEG file") == true)
    fit.memory -= 1
    #expect(problem()?.hasPrefix("3 pictures of 13 x 9 in 3 colours take 0.0 GiB, expected at most") == true)
    (fit.size, fit.colours, fit.memory) = ((20, 20), .grey, 3 * 400 - 1)
    #expect(problem()?.hasPrefix("3 pictures of 20 x 20 in grey values take") == true)
    fit.memory += 1
    #expect(problem()?.contains("b/2.png") == true)
  }
  try withFolder { folder in
    // The first is grey and says nothing of the others, which are decoded until it is too much.
    try fill(folder, ["a/0.png": "grey.png", "a/1.png": "rgb.png", "a/2.png": "rgb.png"])
    var fit = ImageFit()
    fit.memory = 3 * 13 * 9 + 1
    #expect(
      message { _ = try ImageFolders(folder).dataset(fit, pixels: 1000, damaged: .skip) }?.hasPrefix(
        "3 pictures of 13 x 9 in 3 colours take") == true)
    fit.memory = 7 * 13 * 9
    #expect(message { _ = try ImageFolders(folder).dataset(fit, pixels: 1000, damaged: .skip) } == nil)
    let file = folder.appendingPathComponent("x.npz")
    try file.write(zip([("x.npy", npy("|u1", [2, 2, 2], noise(8)))]))
    (fit.size, fit.memory) = ((4, 4), 31)
    #expect(message { _ = try ImageArchive(contentsOf: file).dataset(fit) }?.hasPrefix("2 pictures of 4 x 4") == true)
    fit.memory = 32
    #expect(message { _ = try ImageArchive(contentsOf: file).dataset(fit) } == nil)
  }
}
