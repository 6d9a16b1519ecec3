import Foundation
import LatentKit
import Testing

@testable import Datasets

@Test(arguments: ["plain.mat", "packed.mat"])
func matricesAreReadAsSciPyWroteThem(name: String) throws {
  let file = try MATFile(contentsOf: fixture(name))
  #expect(file.names == ["cells", "bytes", "doubles", "words", "text"])
  let bytes = try file.matrix("bytes")
  #expect(bytes.rows == 3 && bytes.columns == 4)
  #expect(bytes.byRow == (0..<12).map(Float.init))
  #expect(bytes.values == [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11])
  #expect(try file.matrix("words").byRow == (-6..<6).map(Float.init))
  let expected = try fixtureBytes("doubles.raw").withUnsafeBytes { $0.bindMemory(to: Double.self).map(Float.init) }
  #expect(try file.matrix("doubles").byRow == expected)
}

@Test func whatIsNoMatrixIsRefused() throws {
  let file = try MATFile(contentsOf: fixture("plain.mat"))
  func problem(_ name: String) -> String? { message { _ = try file.matrix(name) } }
  #expect(problem("missing")?.contains("holds cells, bytes, doubles, words, text, expected a matrix called") == true)
  #expect(problem("cells")?.contains("is not a matrix of real numbers") == true)
  #expect(problem("text")?.contains("is not a matrix of real numbers") == true)
  func refused(_ bytes: [UInt8]) -> String? { message { _ = try MATFile(Data(bytes), path: "x.mat") } }
  let whole = try fixtureBytes("plain.mat")
  #expect(refused([]) == "x.mat: is not a MAT file of version 5; save it by save(file, …, '-v7')")
  #expect(refused(Array("MATLAB 7.3 MAT-file".utf8))?.contains("version 7.3; save it again") == true)
  #expect(refused(Array(whole.dropLast(3))) == "x.mat: is truncated: it stops inside a variable; get the file again")
  let packed = try fixtureBytes("packed.mat")
  let small = try MATFile(Data(packed), limit: UnpackLimit(mebibytes: 0), path: "x.mat")
  #expect(message { _ = try small.matrix("bytes") }?.contains("raise the limit by data.unpackLimit") == true)
}

@Test(arguments: ["plain.mat", "packed.mat"])
func damagedMATFilesAreRefusedAndNeverTrap(name: String) throws {
  let whole = try fixtureBytes(name)
  func read(_ bytes: [UInt8]) -> String? {
    message {
      let file = try MATFile(Data(bytes), path: "x.mat")
      for name in ["bytes", "doubles", "words"] { _ = try file.matrix(name) }
    }
  }
  #expect(read(whole) == nil)
  for length in stride(from: 0, to: whole.count, by: 7) {
    #expect(read(Array(whole.prefix(length))) != nil, "\(length)")
  }
  let random = noise(4000)
  for round in 0..<1000 {
    var bytes = whole
    let place = (Int(random[3 * round]) << 8 | Int(random[3 * round + 1])) % (bytes.count - 128) + 128
    bytes[place] = round % 2 == 0 ? random[3 * round + 2] : bytes[place] ^ UInt8(1 << (round % 8))
    _ = read(bytes)
  }
}

@Test func labelsAndPixelsOutOfRangeAreRefused() {
  func problem(_ values: [Float], rows: Int = 1) -> String? {
    let matrix = MATFile.Matrix(rows: rows, columns: values.count / rows, values: values)
    return message { _ = try MATImages.labels(matrix, classCount: 3, place: "m") }
  }
  #expect(problem([1, 2, 3]) == nil)
  #expect(problem([1, 4]) == "m: found label 4.0 at position 1, expected 1 to 3")
  #expect(
    problem([0]) != nil && problem([1.5]) != nil && problem([.nan]) != nil && problem([1, 1, 1, 1], rows: 2) != nil)
  func pixels(_ value: Float) -> String? {
    let matrix = MATFile.Matrix(rows: 784, columns: 1, values: [Float](repeating: value, count: 784))
    return message { _ = try MATImages.images(matrix, areRows: false, invert: true, place: "m") }
  }
  #expect(pixels(1) == nil)
  #expect(pixels(.nan) == "m: found nan, expected pixels from 0 to 1")
  #expect(pixels(2) != nil && pixels(-1) != nil)
  func oneHot(_ values: [Float]) -> String? {
    let matrix = MATFile.Matrix(rows: 2, columns: values.count / 2, values: values)
    return message { _ = try MATImages.oneHot(matrix, classCount: 2, place: "m") }
  }
  #expect(oneHot([1, 0, 0, 1]) == nil)
  #expect(oneHot([1, 0, 1, 1]) == "m: found no single 1 in column 2, expected the image's alphabet")
  #expect(oneHot([0, 0]) != nil && oneHot([.nan, 1]) != nil && oneHot([0.5, 0.5]) != nil)
}
