import Foundation
import LatentKit
import Testing

@testable import Datasets

/// An `.npy` file by hand: magic, version, length of the header, header, values.
private func npy(_ descr: String, _ shape: [Int], fortran: Bool = false, version: UInt8 = 1, _ values: [UInt8])
  -> [UInt8]
{
  let shapeText = "(" + shape.map { "\($0), " }.joined() + ")"
  let header = Array(
    "{'descr': '\(descr)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': \(shapeText), }\n".utf8)
  return [0x93] + Array("NUMPY".utf8) + [version, 0] + littleEndian(header.count, bytes: version == 1 ? 2 : 4) + header
    + values
}

private func bytes<Value: FixedWidthInteger>(_ values: [Value], big: Bool = false) -> [UInt8] {
  values.flatMap { value in withUnsafeBytes(of: big ? value.bigEndian : value.littleEndian, Array.init) }
}

private func array(_ bytes: [UInt8]) throws -> NumpyArray { try NumpyArray(Data(bytes), path: "x.npy") }

private func numbers(_ bytes: [UInt8]) throws -> [Float] {
  try #require(try array(bytes).numbers)
}

@Test func everyTypeAndByteOrderIsRead() throws {
  let floats: [Float] = [1.5, -2, 0]
  let doubles: [Double] = [1.5, -2, 0]
  for big in [false, true] {
    let order = big ? ">" : "<"
    #expect(try numbers(npy("\(order)f4", [3], bytes(floats.map(\.bitPattern), big: big))) == floats)
    #expect(try numbers(npy("\(order)f8", [3], bytes(doubles.map(\.bitPattern), big: big))) == floats)
    #expect(try numbers(npy("\(order)i2", [2], bytes([-300, 5] as [Int16], big: big))) == [-300, 5])
    #expect(try numbers(npy("\(order)i4", [2], bytes([-70_000, 5] as [Int32], big: big))) == [-70_000, 5])
    #expect(try numbers(npy("\(order)i8", [2], bytes([-70_000, 5] as [Int64], big: big))) == [-70_000, 5])
    #expect(try numbers(npy("\(order)u4", [1], bytes([4_000_000_000] as [UInt32], big: big))) == [4_000_000_000])
  }
  #expect(try numbers(npy("|u1", [2], [0, 255])) == [0, 255])
  #expect(try numbers(npy("|i1", [2], [0, 255])) == [0, -1])
  #expect(try numbers(npy("|b1", [2], [0, 1])) == [0, 1])
  #expect(try numbers(npy("|u1", [2], version: 2, [3, 4])) == [3, 4])
  let texts = try array(npy("<U2", [2], bytes([0x61, 0x142, 0x62, 0] as [UInt32])))
  #expect(texts.numbers == nil)
  #expect(texts.classNames(at: 0..<2) == ["ał", "b"])
}

@Test func classesKeepEveryDigitOfTheirNumbers() throws {
  // Neighbours that are one number as Float32, and as Double.
  let (near, large) = ([16_777_216, 16_777_217] as [Int64], [9_007_199_254_740_992, 9_007_199_254_740_993] as [Int64])
  func names(_ bytes: [UInt8]) throws -> [String] { try array(bytes).classNames(at: 0..<2) }
  for big in [false, true] {
    let order = big ? ">" : "<"
    #expect(try names(npy("\(order)i8", [2], bytes(near, big: big))) == ["16777216", "16777217"])
    #expect(try names(npy("\(order)i8", [2], bytes(large, big: big))) == ["9007199254740992", "9007199254740993"])
    let doubles = [16_777_216, 16_777_217.0].map(\.bitPattern)
    #expect(try names(npy("\(order)f8", [2], bytes(doubles, big: big))) == ["16777216", "16777217"])
  }
  #expect(try names(npy("<u4", [2], bytes([4_294_967_294, .max] as [UInt32]))) == ["4294967294", "4294967295"])
  #expect(try names(npy("<u8", [2], bytes([.max - 1, .max] as [UInt64]))) == ["\(UInt64.max - 1)", "\(UInt64.max)"])
  #expect(try names(npy("<f4", [2], bytes([Float(-3), 0.1].map(\.bitPattern)))) == ["-3", "0.1"])

  // As a column of a matrix, of either order and direction, and as an array of an archive.
  let matrix = [1, near[0], 2, near[1]]
  func labels(_ shape: [Int], fortran: Bool, _ direction: TableFormat.Direction) throws -> [String]? {
    let found = try table("x.npy", npy("<i8", shape, fortran: fortran, bytes(matrix))) {
      ($0.label, $0.samples) = (.number(2), direction)
    }
    #expect(try found.inputs.floats() == [1, 2])
    return found.labels
  }
  #expect(try labels([2, 2], fortran: false, .rows) == ["16777216", "16777217"])
  #expect(try labels([2, 2], fortran: true, .columns) == ["16777216", "16777217"])
  let archive = zip([("x.npy", npy("|u1", [2, 1], [1, 2])), ("y.npy", npy("<i8", [2], bytes(near)))])
  #expect(try table("t.npz", archive).examples(from: "t").classNames == ["16777216", "16777217"])
}

@Test func columnMajorArraysAreTurned() throws {
  // [[1, 2, 3], [4, 5, 6]] column by column.
  #expect(try numbers(npy("|u1", [2, 3], fortran: true, [1, 4, 2, 5, 3, 6])) == [1, 2, 3, 4, 5, 6])
  #expect(try numbers(npy("|u1", [2, 3], [1, 2, 3, 4, 5, 6])) == [1, 2, 3, 4, 5, 6])
}

/// An `.npy` file of some header, with one byte of values.
private func headed(_ header: String) -> [UInt8] {
  [0x93] + Array("NUMPY".utf8) + [1, 0] + littleEndian(header.utf8.count, bytes: 2) + Array(header.utf8) + [1]
}

@Test func headersAreReadOnceFromLeftToRight() throws {
  let facts = "'descr': '|u1', 'fortran_order': False, 'shape': (1,)"
  for header in ["{\(facts)}", "{\(facts), }   \n", " { 'shape' : ( 1 ), 'fortran_order':True,'descr':'|u1'}"] {
    #expect(try numbers(headed(header)) == [1], "\(header)")
  }
  func problem(_ header: String) -> String { message { _ = try array(headed(header)) } ?? "none" }
  #expect(
    problem("{'descr': '|u1', \(facts)}")
      == "x.npy: has a header that says 'descr' twice; write it again with numpy.save")
  #expect(problem("{\(facts), 'shape': (1,)}").contains("says 'shape' twice"))
  let odd = [
    "", "{", "{}", "{\(facts)", "{\(facts)} x", "{\(facts) 'x': 1}", "{\(facts), 'x': 1}",
    "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "{'descr': '|u1', 'shape': (1,)}",
    "{'descr': '|u1', 'fortran_order': 0, 'shape': (1,)}", "{'descr': '|u1', 'fortran_order': False, 'shape': (1.5,)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (-1,)}", "{'descr': '|u1', 'fortran_order': False, 'shape': (1",
  ]
  for header in odd { #expect(problem(header).contains("expected one type, an order and a shape"), "\(header)") }
  let ranks = String(repeating: "1,", count: 65)
  #expect(problem("{'descr': '|u1', 'fortran_order': False, 'shape': (\(ranks))}").contains("has 65 axes"))
  // Once matched by going back and forth, for minutes.
  let repeated = String(repeating: "'descr': '|u1', 'fortran_order': False, ", count: 1600)
  #expect(
    problem("{\(repeated)}")
      == "x.npy: has a header of 64,002 bytes, expected at most 10,000; write it again with numpy.save")
  #expect(problem("{\(repeated.prefix(9000))}").contains("says 'descr' twice"))
}

@Test func truthValuesAreZeroOrOne() throws {
  #expect(try numbers(npy("|b1", [4], [0, 1, 1, 0])) == [0, 1, 1, 0])
  #expect(
    message { _ = try array(npy("|b1", [4], [0, 1, 255, 0])) }
      == "x.npy: found byte 255 for truth value 2, expected 0 or 1; save it again")
}

@Test func packedArraysAreReadUpToTheLimit() throws {
  func found(_ values: Int, _ limit: Int) throws -> DataTable {
    let archive = zip([("x.npy", npy("|u1", [values, 1], [UInt8](repeating: 1, count: values)))])
    return try table("t.npz", archive) { ($0.unpackLimit, $0.label) = (limit, .name("none")) }
  }
  let refused = "array 'x': unpacks to more than 1 MiB in memory; if that is right, raise the limit by data.unpackLimit"
  // By its bytes, and by the numbers of four bytes each that they become.
  #expect(message { _ = try found(1 << 20, 1) }?.contains(refused) == true)
  #expect(message { _ = try found(1 << 19, 1) }?.contains(refused) == true)
  #expect(try found(1 << 19, 2).inputs.shape == [1 << 19, 1])
}

@Test func anArchiveIsNotBelievedAboutItsSizes() throws {
  // The directory says that the member has 200 MiB, deflated to a few bytes.
  let array = npy("|u1", [1, 1], [1])
  var archive = zip([("x.npy", array)])
  let directory = archive.count - 22 - 46 - 5
  archive.replaceSubrange(directory + 10..<directory + 12, with: littleEndian(8, bytes: 2))
  archive.replaceSubrange(directory + 24..<directory + 28, with: littleEndian(200 << 20))
  let refused = message { _ = try table("t.npz", archive) { $0.label = .name("none") } }
  #expect(refused?.contains("bytes cannot hold 209715200; save the archive again") == true, "\(refused ?? "")")
  let twice = message { _ = try table("t.npz", zip([("x.npy", array), ("x.npy", array)])) }
  #expect(twice?.contains("holds two arrays called 'x'; save the archive again") == true)
}

@Test func everyTruncationOfAnArchiveIsRefused() throws {
  let whole = zip([("x.npy", npy("|u1", [2, 2], [1, 2, 3, 4])), ("y.npy", npy("|u1", [2], [7, 5]))])
  for length in 2..<whole.count {
    #expect(message { _ = try table("t.npz", Array(whole.prefix(length))) } != nil, "\(length) bytes")
  }
}

@Test func pickledTruncatedAndOddArraysAreRefused() {
  #expect(message { _ = try array(npy("|O", [2], [1, 2])) }?.contains("holds pickled Python objects") == true)
  #expect(message { _ = try array(npy("<c8", [1], [])) }?.contains("values of type '<c8'") == true)
  #expect(
    message { _ = try array(npy("<f4", [3], [1, 2, 3])) }
      == "x.npy: found 3 bytes of values, expected 12 for [3] of '<f4'; save it again")
  #expect(message { _ = try array(Array(npy("<f4", [3], []).prefix(20))) }?.contains("stops inside its header") == true)
  #expect(
    message { _ = try array(npy("<f4", [1 << 40, 1 << 40], [])) }?.contains("is truncated: its header says") == true)
}

private func table(_ name: String, _ bytes: [UInt8], _ change: (inout TableFormat) -> Void = { _ in }) throws
  -> DataTable
{
  var format = TableFormat()
  change(&format)
  return try withFolder { folder in
    let file = folder.appendingPathComponent(name)
    try file.write(bytes)
    return try DataTable(contentsOf: file, format)
  }
}

@Test func aMatrixIsATable() throws {
  let file = npy("|u1", [2, 3], [1, 2, 9, 3, 4, 8])
  let found = try table("x.npy", file) { $0.label = .number(-1) }
  #expect(try found.inputs.floats() == [1, 2, 3, 4])
  #expect(found.featureNames == ["column 1", "column 2"])
  #expect(found.labels == ["9", "8"])
  #expect(try table("x.npy", file) { $0.label = .name("none") }.inputs.shape == [2, 3])
  let turned = try table("x.npy", file) { ($0.samples, $0.label) = (.columns, .name("none")) }
  #expect(try turned.inputs.floats() == [1, 3, 2, 4, 9, 8])
  #expect(message { _ = try table("x.npy", file) }?.contains("its labels need a column's number from 1 to 3") == true)
  let flat = message { _ = try table("x.npy", npy("|u1", [3], [1, 2, 3])) { $0.label = .name("none") } }
  #expect(flat?.contains("has the shape [3], expected [samples, features]") == true)
  let broken = npy("<f4", [1, 2], bytes([Float(1).bitPattern, Float.nan.bitPattern]))
  let refused = message { _ = try table("x.npy", broken) { $0.label = .name("none") } }
  #expect(refused?.contains("row 1, column 2: found nan, expected a finite number; set data.missing=keep") == true)
}

@Test func columnsOfAMatrixAreDroppedByNumberOrByWhatTheyAreCalled() throws {
  let file = npy("|u1", [2, 4], [1, 2, 3, 9, 4, 5, 6, 8])
  let found = try table("x.npy", file) { ($0.label, $0.drop) = (.number(-1), [.number(2)]) }
  #expect(try found.inputs.floats() == [1, 3, 4, 6])
  #expect(found.featureNames == ["column 1", "column 3"])
  #expect(found.labels == ["9", "8"])
  let archive = zip([("x.npy", file), ("y.npy", npy("|u1", [2], [1, 2]))])
  let other = try table("t.npz", archive) { $0.drop = [.name("column 1"), .number(-1)] }
  #expect(try other.inputs.floats() == [2, 3, 5, 6])
  #expect(other.featureNames == ["column 2", "column 3"])
  func problem(_ name: String, _ bytes: [UInt8], _ change: (inout TableFormat) -> Void) -> String {
    message { _ = try table(name, bytes, change) } ?? "none"
  }
  #expect(
    problem("x.npy", file) { ($0.label, $0.drop) = (.number(4), [.number(5)]) }
      .contains("there is no column 5 to drop among 4; data.drop counts from 1"))
  #expect(problem("t.npz", archive) { $0.drop = [.name("age")] }.contains("there is no column to drop 'age'"))
  let all = problem("x.npy", file) { ($0.label, $0.drop) = (.number(4), [.number(1), .number(2), .number(3)]) }
  #expect(all.contains("has no column of numbers beside the labels"))
}

@Test func whatMeansNothingToArraysIsRefused() throws {
  let file = npy("|u1", [2, 2], [1, 2, 3, 4])
  let archive = zip([("x.npy", file), ("y.npy", npy("|u1", [2], [1, 2]))])
  #expect(
    message { _ = try table("t.npz", archive) { $0.label = .number(-1) } }?
      .contains("holds arrays x, y, and data.label=-1 is a number; give the name of the array of labels") == true)
  let changes: [(String, (inout TableFormat) -> Void)] = [
    ("separator", { $0.separator = .tab }), ("decimal", { $0.decimal = .comma }), ("header", { $0.header = false }),
  ]
  for (name, change) in changes {
    #expect(
      message { _ = try table("t.npz", archive, change) }?
        .contains("array 'x': is of NumPy, and data.\(name) is for delimited text; leave it out") == true)
  }
}

@Test func anArchiveIsATable() throws {
  let inputs = npy("|u1", [2, 2], [1, 2, 3, 4])
  let archive = zip([("x.npy", inputs), ("y.npy", npy("<i8", [2], bytes([7, 5] as [Int64])))])
  let found = try table("t.npz", archive)
  #expect(try found.inputs.floats() == [1, 2, 3, 4])
  #expect(try found.examples(from: "t").classNames == ["5", "7"])
  #expect(try found.examples(from: "t").examples.labels?.ints() == [1, 0])

  #expect(message { _ = try table("t.npz", Array(archive.dropLast(30))) }?.contains("truncated or corrupted") == true)
  var wrong = archive
  wrong[30 + 5 + inputs.count - 1] = 9
  #expect(message { _ = try table("t.npz", wrong) }?.contains("array 'x': is corrupted: its checksum") == true)
  let unnamed = zip([("x.npy", inputs)])
  #expect(message { _ = try table("t.npz", unnamed) }?.contains("holds arrays x, and none of them is called y") == true)
  let short = zip([("x.npy", inputs), ("y.npy", npy("|u1", [3], [1, 2, 3]))])
  #expect(message { _ = try table("t.npz", short) }?.contains("holds 2 samples and labels of shape [3]") == true)
}

@Test func namesOfFeaturesAndSamplesAreArraysOfAnArchive() throws {
  let x = npy("|u1", [2, 2], [1, 2, 3, 4])
  func text(_ texts: String) -> [UInt8] { npy("|S1", [texts.count], Array(texts.utf8)) }
  func read(_ more: [(String, [UInt8])], _ change: (inout TableFormat) -> Void = { _ in }) throws -> DataTable {
    try table("t.npz", zip([("x.npy", x), ("y.npy", text("qr"))] + more), change)
  }
  let found = try read([("feature_names.npy", text("ab")), ("ids.npy", npy("|u1", [2], [7, 9]))])
  #expect(found.featureNames == ["a", "b"] && found.ids == ["7", "9"] && found.labels == ["q", "r"])
  #expect(found.remark == nil)
  #expect(try read([("var_names.npy", text("ab"))]) { $0.drop = [.name("a")] }.inputs.floats() == [2, 4])
  let missing = message { _ = try read([]) { $0.label = .name("yy") } }
  #expect(missing?.hasSuffix("there is no array of labels 'yy'; known: x, y. Did you mean 'y'?") == true)
  // Names that do not fit were no names before there were any.
  for (array, remark) in [
    (text("abc"), "array 'feature_names' was left aside: it has the shape [3], and there are 2 features"),
    (npy("|O", [2], [1, 2]), "save it as text, as in numpy.asarray(names, dtype=str)"),
    (text("aa"), "the names of features were left aside: some are there twice"),
  ] {
    let plain = try read([("feature_names.npy", array)])
    #expect(plain.featureNames == ["column 1", "column 2"])
    #expect(plain.remark?.hasSuffix(remark) == true, "\(plain.remark ?? "none")")
  }
}

/// `numpy.savez_compressed(file, x=numpy.array([[1, 2], [3, 4]], numpy.float32), y=numpy.array(['b', 'a']))`, NumPy 2.
@Test func aCompressedArchiveOfNumPyIsRead() throws {
  let fixture =
    "UEsDBC0AAAAIAAAAIQBO+yB1//////////8FABQAeC5ucHkBABAAkAAAAAAAAABTAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxc"
    + "pG6loG6TZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CkaaOgq1CmQDLgaGBnsGBgYHIALiBgcAUEsDBC0A"
    + "AAAIAAAAIQCqh9pw//////////8FABQAeS5ucHkBABAAiAAAAAAAAABLAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG4T"
    + "aqiuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6mjoKtQoUAK4kBgaGRCAGAFBLAQItAy0AAAAIAAAAIQBO+yB1"
    + "UwAAAJAAAAAFAAAAAAAAAAAAAACAAQAAAAB4Lm5weVBLAQItAy0AAAAIAAAAIQCqh9pwSwAAAIgAAAAFAAAAAAAAAAAAAACA"
    + "AYoAAAB5Lm5weVBLBQYAAAAAAgACAGYAAAAMAQAAAAA="
  let found = try table("t.npz", [UInt8](try #require(Data(base64Encoded: fixture))))
  #expect(try found.inputs.floats() == [1, 2, 3, 4])
  #expect(found.labels == ["b", "a"])
}
