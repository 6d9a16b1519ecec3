import Files
import Foundation
import LatentKit
import Testing

@testable import Datasets

/// A table read from the bytes of a file.
private func table(_ bytes: [UInt8], _ change: (inout TableFormat) -> Void = { _ in }) throws -> DataTable {
  var format = TableFormat()
  change(&format)
  return try withFolder { folder in
    let file = folder.appendingPathComponent("made.csv")
    try file.write(bytes)
    return try DataTable(contentsOf: file, format)
  }
}

private func table(_ text: String, _ change: (inout TableFormat) -> Void = { _ in }) throws -> DataTable {
  try table(Array(text.utf8), change)
}

/// What is wrong with a table, after the file's name.
private func problem(_ text: String, _ change: (inout TableFormat) -> Void = { _ in }) -> String? {
  message { _ = try table(text, change) }.map { String($0.split(separator: "made.csv: ", maxSplits: 1).last ?? "") }
}

private let rows = ["a,b,label", "1,-2.5,x", "3e1,.25,w", "+4,0,x"]

@Test(arguments: ["\n", "\r\n", "\r"], [false, true]) func everyLineEndIsRead(lineEnd: String, isPacked: Bool) throws {
  for ending in ["", lineEnd] {
    let text = Array((rows.joined(separator: lineEnd) + ending).utf8)
    let found = try table(isPacked ? gzip(text) : text)
    #expect(found.featureNames == ["a", "b"])
    #expect(try found.inputs.floats() == [1, -2.5, 30, 0.25, 4, 0])
    #expect(found.inputs.shape == [3, 2])
    #expect(found.labels == ["x", "w", "x"])
    let (examples, classNames) = try found.examples(from: "t")
    #expect(classNames == ["w", "x"])
    #expect(try examples.labels?.ints() == [1, 0, 1])
  }
}

@Test(arguments: [",", ";", "\t"]) func everySeparatorIsRecognised(separator: String) throws {
  let found = try table(rows.map { $0.replacing(",", with: separator) }.joined(separator: "\n"))
  #expect(try found.inputs.floats() == [1, -2.5, 30, 0.25, 4, 0])
}

@Test func quotedCellsMayHoldSeparatorsLineEndsAndQuotes() throws {
  let found = try table("\"a,1\",\"b\r\n2\",class\n1,\"2\",\"x \"\"y\"\", z\"\n")
  #expect(found.featureNames == ["a,1", "b\r\n2"])
  #expect(try found.inputs.floats() == [1, 2])
  #expect(found.labels == ["x \"y\", z"])
}

@Test func textIsUTF8OrLatin1WithOrWithoutAMark() throws {
  let utf8 = try table([0xef, 0xbb, 0xbf] + Array("é,ł,label\n1,2,ü\n".utf8))
  #expect(utf8.featureNames == ["é", "ł"])
  #expect(utf8.labels == ["ü"])
  let latin = try table([0xe9] + Array(",b,label\n1,2,".utf8) + [0xfc])
  #expect(latin.featureNames == ["é", "b"])
  #expect(latin.labels == ["ü"])
  let wide = message { _ = try table([0xff, 0xfe, 0x61, 0, 0x2c, 0]) }
  #expect(wide?.contains("is not text in UTF-8 or Latin-1") == true)
}

@Test func decimalCommasAreReadWhereTheyAreSaid() throws {
  let text = "a;b;label\n1,5;-2,25e1;x\n"
  #expect(try table(text) { $0.decimal = .comma }.inputs.floats() == [1.5, -22.5])
  #expect(
    problem(text)
      == "row 2, column 'a' (1): found '1,5' between semicolons, expected a number; for a decimal comma, set data.decimal=comma"
  )
  #expect(problem("a;label\n1.5;x\n") { $0.decimal = .comma }?.hasSuffix("set data.decimal=point") == true)
}

@Test func aDecimalCommaIsNoSeparator() throws {
  // The first row has more commas than semicolons, and more than tabs.
  for separator in [";", "\t"] {
    let text = "1,5;2,5;x\n3,5;4;y\n".replacing(";", with: separator)
    let found = try table(text) { ($0.decimal, $0.label) = (.comma, .number(-1)) }
    #expect(try found.inputs.floats() == [1.5, 2.5, 3.5, 4])
  }
  // Where it is said, it is one.
  let quoted = try table("\"1,5\",2,x\n") { ($0.decimal, $0.separator, $0.label) = (.comma, .comma, .number(3)) }
  #expect(try quoted.inputs.floats() == [1.5, 2])
  #expect(problem("a\tlabel\n1;5\tx\n") == "row 2, column 'a' (1): found '1;5' between tabs, expected a number")
}

@Test func rowsAndColumnsAreMeantByNumberFromBothEnds() throws {
  // An empty line is none of the rows from the end, and one of those from the start.
  let text = "f,1,2\ng,3,4\n\nh,5,6\n"
  func turned(_ label: Int, drop: [Int] = []) throws -> DataTable {
    try table(text) {
      ($0.samples, $0.label, $0.drop, $0.header) = (.columns, .number(label), drop.map { .number($0) }, false)
    }
  }
  for (label, labels, names) in [
    (-1, ["5", "6"], ["f", "g"]), (-3, ["1", "2"], ["g", "h"]), (4, ["5", "6"], ["f", "g"]),
  ] {
    #expect(try turned(label).labels == labels)
    #expect(try turned(label).featureNames == names)
  }
  #expect(try turned(-1, drop: [-2]).featureNames == ["f"])
  #expect(try turned(-1, drop: [1]).featureNames == ["g"])
  #expect(message { _ = try turned(-4) }?.contains("found no row -4 among 4 for the labels") == true)
  #expect(message { _ = try turned(-1, drop: [9]) }?.contains("there is no row 9 to drop among 4") == true)
  let rows = try table("a,b,c\n1,2,x\n") { ($0.label, $0.drop) = (.number(-1), [.number(1)]) }
  #expect(rows.featureNames == ["b"] && rows.labels == ["x"])
}

/// The format of the metabolomic sets: decimal commas, samples in columns, as in the paper's Lung set.
@Test func samplesMayBeColumns() throws {
  let text = "Name;s1;s2;s3\nLabel;2;1;2\n1-hexanol;1,5;2;3\nac\u{e9}tate;4;5;6,25\n"
  let found = try table(text.unicodeScalars.map { UInt8($0.value) }) {
    ($0.samples, $0.decimal, $0.label) = (.columns, .comma, .name("Label"))
  }
  #expect(found.featureNames == ["1-hexanol", "acétate"])
  #expect(found.inputs.shape == [3, 2])
  #expect(try found.inputs.floats() == [1.5, 4, 2, 5, 3, 6.25])
  #expect(found.labels == ["2", "1", "2"])
  #expect(try found.examples(from: "t").classNames == ["1", "2"])
}

@Test func aTableWithoutHeaderNamesItsColumnsByNumber() throws {
  let found = try table("1,2,x\n3,4,y\n") { $0.label = .number(-1) }
  #expect(found.featureNames == ["column 1", "column 2"])
  #expect(found.labels == ["x", "y"])
  // A header of numbers has to be said.
  let years = try table("1999,2000\n1,2\n") { ($0.header, $0.label) = (true, .name("none")) }
  #expect(years.featureNames == ["1999", "2000"])
  #expect(years.labels == nil)
  #expect(try table(",a,label\ns1,1,x\n") { $0.drop = [.name("column 1")] }.featureNames == ["a"])
}

@Test func classesAreSortedByNumberOrByCharacter() {
  #expect(DataTable.sortedClasses(["10", "9", "1", "10"]) == ["1", "9", "10"])
  #expect(DataTable.sortedClasses(["b", "B", "10", "9"]) == ["10", "9", "B", "b"])
}

@Test func labelsThatLookTheSameAreRefused() throws {
  // Swift's String counts both as equal, so that they would be one class.
  let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
  #expect(composed == decomposed)
  let text = "a,label\n1,\(composed)\n2,tea\n3,\(decomposed)\n4,\(composed)\n"
  let error = #expect(throws: FileError.self) { try table(text).examples(from: "t.csv") }
  #expect(
    error?.description
      == "t.csv: has the label 'caf\u{E9}' written in two ways, U+00E9 and U+0301, expected one; write all in one Unicode "
      + "normal form")
  #expect(
    try table(text.replacing("3,\(decomposed)", with: "3,\(composed)")).examples(from: "t").classNames
      == ["caf\u{E9}", "tea"])
}

@Test func labelsOfOneNumberHaveOneOrder() {
  // The order of a Set differs from run to run; thirty ties do not come out right by chance.
  let numbers = (1...30).map { [10 + $0, $0 + 100] }.flatMap { $0 }
  let expected = numbers.sorted().flatMap { ["\($0)", "+\($0)", "0\($0)"] }
  #expect(DataTable.sortedClasses(expected.shuffled()) == expected)
  #expect(DataTable.sortedClasses(["01", "x", "+1", "1"]) == ["+1", "01", "1", "x"])
}

@Test func oneLongLineIsRefusedByItsCells() {
  let most = DelimitedRows.maximumCells
  let wide = problem(String(repeating: ",", count: most))
  #expect(wide == "row 1: found more than 1,000,000 cells; check its line ends and separators, or save it as .npy")
  let long = problem("a,label\n1," + String(repeating: "x", count: DelimitedRows.maximumCellLength + 1))
  #expect(
    long
      == "row 2, column 2: found a cell of more than 1,048,576 bytes, the most that one may have; check its separators and quotes"
  )
  // Refused at its first MiB: what follows, the missing quote too, is not looked at.
  let quoted = problem("a,label\n\"" + String(repeating: "x", count: DelimitedRows.maximumCellLength + 1))
  #expect(quoted?.hasPrefix("row 2, column 1: found a cell of more than 1,048,576 bytes") == true)
}

@Test func theSeparatorIsThatOfTheFirstRowWhateverItsLength() throws {
  // Line ends before the first row are not part of it.
  let rows = "\n\r\n" + String(repeating: "\n", count: 1 << 21) + "a;b;label\n1;2,5;x\n"
  #expect(try table(rows) { $0.decimal = .comma }.featureNames == ["a", "b"])
  // Beyond the first MiB other characters do not count, so that time does not grow with the row.
  let names = ["a", "b", String(repeating: "x", count: 600_000), String(repeating: "y", count: 450_000)]
  let wide = names.joined(separator: ";") + String(repeating: ",", count: 64) + ";label\n1;2;3;4;z\n"
  #expect(try table(wide).labels == ["z"])
}

@Test func aPackedTableIsReadUpToTheLimit() throws {
  // Members of a gzip file follow each other: 1.2 MiB in all.
  let rows = Array(String(repeating: "1,2,3\n", count: 10_000).utf8)
  let packed = (0..<21).flatMap { _ in gzip(rows) }
  func read(_ limit: Int) throws -> DataTable {
    try table(packed) { ($0.unpackLimit, $0.label, $0.header) = (limit, .name("none"), false) }
  }
  #expect(
    message { _ = try read(1) }?.hasSuffix(
      "unpacks to more than 1 MiB in memory; if that is right, raise the limit by data.unpackLimit, in MiB") == true)
  #expect(try read(2).inputs.shape == [210_000, 3])
  // A file that is not packed has no limit but its own size.
  let plain = try table((0..<21).flatMap { _ in rows }) {
    ($0.unpackLimit, $0.label, $0.header) = (1, .name("none"), false)
  }
  #expect(plain.inputs.shape == [210_000, 3])
}

@Test func theUnpackLimitIsASettingOfTables() throws {
  try withFolder { folder in
    let rows = Array(String(repeating: "1,2,3\n", count: 10_000).utf8)
    try folder.appendingPathComponent("t.csv.gz").write((0..<21).flatMap { _ in gzip(rows) })
    func load(_ limit: Value) throws -> Dataset {
      let settings = try DataSettings(["path": "t.csv.gz", "label": "none", "unpackLimit": limit], at: "data.with")
      return try DatasetLibrary.load("table", settings: settings, from: folder)
    }
    #expect(try load(2).train.count == 210_000)
    #expect(message { _ = try load(1) }?.contains("unpacks to more than 1 MiB") == true)
    #expect(message { _ = try load(0) } == "data.with.unpackLimit: found 0, expected 1 to 1048576")
  }
}

@Test func missingValuesAreRefusedOrKept() throws {
  #expect(
    problem("a,b,label\n1,2,x\n3,,y\n")
      == "row 3, column 'b' (2): found an empty cell, expected a number; set data.missing=keep and add the transform "
      + "'impute'")
  #expect(problem("a,label\nNA,x\n")?.contains("found 'NA'") == true)
  let kept = try table("a,b,label\nNA,nan,x\n?,5,y\n") { $0.missing = .keep }.inputs.floats()
  #expect(kept.map(\.isNaN) == [true, true, true, false])
}

@Test func whatIsWrongIsSaidWithItsPlace() {
  #expect(problem("") == "is empty, expected a table")
  #expect(problem("\n\r\n") == "is empty, expected a table")
  #expect(problem("a,label\n") == "has a header and no rows below it, expected samples")
  #expect(
    problem("a,b,label\n1,2,x\n\n1,y\n")
      == "row 4: found 2 cells, expected 3 as in row 1; check its separators")
  #expect(problem("a,label\n1e,x\n") == "row 2, column 'a' (1): found '1e' between commas, expected a number")
  #expect(
    problem("a,label\n1,x\ninf,x\n")
      == "row 3, column 'a' (1): found 'inf' between commas, expected a number; data.drop leaves a column out, and "
      + "data.label names that of the classes")
  #expect(
    problem("a,label\n1e99,x\n")
      == "row 2, column 'a' (1): found 1e99, expected a number within the range of Float32, ±3.4e38; rescale the column"
  )
  #expect(problem("a,label\n1,\n") == "row 2, column 2: found no label, expected the sample's class")
  #expect(problem("a,b,a,label\n1,2,3,x\n") == "row 1: columns 1 and 3 are both named 'a'; rename one of them")
  #expect(
    problem("n,s1\nlabel,x\nf,1\nf,2\n") { $0.samples = .columns }
      == "rows 3 and 4 are both named 'f'; rename one of them")
  #expect(problem("a,b\n1,2\n")?.hasPrefix("found no column called label, labels, class, target") == true)
  #expect(problem("a,b\n1,2\n") { $0.label = .name("c") }?.hasPrefix("found no column 'c'") == true)
  #expect(problem("a,b\n1,2\n") { $0.label = .number(3) }?.hasPrefix("found no column 3 among 2") == true)
  #expect(problem("a,label\n\"1,x\n")?.contains("row 2, column 1: the quotes are never closed") == true)
  #expect(problem("a,label\n\"1\"2,x\n")?.contains("row 2, column 1: found text after the closing quotes") == true)
  #expect(problem("a,label\n1,x\n") { $0.drop = [.name("c")] }?.contains("there is no column to drop 'c'") == true)
  #expect(
    message { _ = try DataTable(contentsOf: URL(fileURLWithPath: "/nowhere.csv"), TableFormat()) }
      == "/nowhere.csv: there is no such file")
}

@Test func numbersAreReadAsSwiftReadsThem() {
  let texts = [
    "0", "-0", "1", "12345678901234567890", "0.1", "-.5", "5.", "1e22", "1e23", "1.7976931348623157e308", "4.9e-324",
    "3.14159265358979323846264338327950288", "0.000000000000000000000000123", "9007199254740993", "1E+5", "1e-7",
    "123456789012345678901234567890e-20", "2.2250738585072011e-308",
  ]
  func parsed(_ text: String) -> Double? {
    Array(text.utf8).withUnsafeBufferPointer { DecimalNumber.parse($0, point: 0x2e) }
  }
  for text in texts {
    #expect(parsed(text)?.bitPattern == Double(text.hasSuffix(".") ? text + "0" : text)?.bitPattern, "\(text)")
  }
  for text in ["", "-", ".", "e5", "1e", "1e+", "0x10", "1 2", "1,000", "1.2.3", "inf", "nan", "--1", "1e999"] {
    #expect(parsed(text) == nil, "\(text)")
  }
}

private let hasTables = ["olsson", "breast"].allSatisfy { fullData?.appendingPathComponent($0).exists ?? false }

@Test(
  .enabled(if: hasTables, "needs the tables olsson and breast under LATENTKIT_DATA"),
  arguments: [("olsson", 382, 532, 9), ("breast", 271, 162, 2)])
func realTablesAreRead(name: String, samples: Int, features: Int, classes: Int) throws {
  let folder = try #require(fullData)
  let dataset = try DatasetLibrary.load(name, settings: DataSettings(), from: folder)
  #expect(dataset.train.inputs.shape == [samples, features])
  #expect(dataset.classCount == classes)
  #expect(dataset.featureNames?.count == features)
  let counts = try #require(try dataset.train.labels?.oneHot(classes).sum(axis: 0).ints())
  // As Data/SOURCES counts them.
  let expected = ["olsson": [13, 59, 59, 63, 33, 18, 95, 28, 14], "breast": [67, 204]]
  #expect(counts == expected[name])
  #expect(try dataset.train.inputs.isFinite().all())
  let report = try DatasetVerifier.verify(name, in: folder)
  #expect(report.isGood, "\(report)")
  if name == "olsson" {
    #expect(dataset.featureNames?.prefix(3) == ["Dusp2", "Egr1", "Fos"])
    #expect(dataset.classNames?.last == "Myelocyte")
  } else {
    #expect(dataset.featureNames?.first == "1-hexadecanol")
    #expect(try dataset.train.inputs.select(0).select(0).item() == Double(Float(11.11209894)))
  }
}

/// What R's `write.table` and pandas's `to_csv` write.
@Test(arguments: [
  "\"a\",\"b\",\"type\"\n\"s1\",1,2,\"x\"\n\"s2\",3,4,\"y\"\n", "a\tb\ttype\ns1\t1\t2\tx\ns2\t3\t4\ty\n",
  ",a,b,type\ns1,1,2,x\ns2,3,4,y\n",
]) func aColumnOfNamesWithoutANameOfItsOwnHasTheSamplesNames(text: String) throws {
  let found = try table(text) { $0.label = .name("type") }
  #expect(found.ids == ["s1", "s2"] && found.featureNames == ["a", "b"] && found.labels == ["x", "y"])
  #expect(try found.inputs.floats() == [1, 2, 3, 4])
  // Columns count from 1 as they stand in the rows.
  let dropped = try table(text) { ($0.label, $0.drop) = (.number(-1), [.number(2)]) }
  #expect(dropped.featureNames == ["b"] && dropped.ids == ["s1", "s2"])
}

@Test func namesThatAreNumbersAreThoseOfRAlone() throws {
  let found = try table("a,b,label\n1,5,6,x\n2,7,8,y\n")
  #expect(try found.ids == ["1", "2"] && found.inputs.floats() == [5, 6, 7, 8])
  #expect(problem("a,b,label\n3,5,6,x\n")?.contains("found 4 cells, expected 3 as in row 1; check its sep") == true)
  // An index of pandas that counts stays the feature that it was, and is pointed out.
  let counted = try table(",a,label\n0,5,x\n1,7,y\n")
  #expect(counted.featureNames == ["column 1", "a"] && counted.ids == nil)
  #expect(
    counted.remark?.hasSuffix(
      "column 1 without a name counts the samples, and is read as a feature; if it names the samples, set data.id=1")
      == true)
  #expect(try table(",a,label\n0,5,x\n1,7,y\n") { $0.drop = [.number(1)] }.remark == nil)
  #expect(try table(",a,label\n4,5,x\n1,7,y\n").remark == nil)
  #expect(try table("1,a\n1,2,3\n") { ($0.label, $0.header) = (.name("none"), true) }.featureNames == ["1", "a"])
  #expect(
    problem("1,2\n7,5,6\n") { $0.label = .name("none") }
      == "row 2: found 3 cells, expected 2 as in row 1; if row 1 has the names of columns, set data.header=true")
}

@Test func spacesSeparateCellsWhereThatIsSaid() throws {
  let text = "\"a\" \"b\" \"type\"\n\"s 1\" 1 2 \"x\"\n\"s 2\" 3 4 \"y\"\n"
  let found = try table(text) { ($0.separator, $0.label) = (.space, .name("type")) }
  #expect(try found.ids == ["s 1", "s 2"] && found.inputs.floats() == [1, 2, 3, 4])
  #expect(problem(text)?.hasSuffix("the next cell; for spaces between cells set data.separator=space") == true)
  #expect(
    problem("a b label\n1 2 x\n")
      == "found no column called label, labels, class, target for the labels, and one column alone; for spaces between "
      + "cells set data.separator=space")
}

@Test func samplesInColumnsHaveTheNamesOfTheHeader() throws {
  for text in ["gene,s1,s2\nlabel,x,y\nf,1,2\n", "s1,s2\nlabel,x,y\nf,1,2\n"] {
    let found = try table(text) { $0.samples = .columns }
    #expect(found.ids == ["s1", "s2"] && found.labels == ["x", "y"] && found.featureNames == ["f"])
  }
}

@Test func theSettingThatReadsATableIsNamed() {
  let columns = "gene,s1,s2\nlabel,x,y\nTP53,1,2\n"
  #expect(
    problem(columns)
      == "found no column called label, labels, class, target for the labels, and row 2 is called 'label'; if samples are "
      + "columns, set data.samples=columns")
  #expect(
    problem("gene,s1,s2\nTP53,1,2\n")?.contains("among gene, s1, s2; if samples are columns, set data.samp") == true)
  #expect(
    problem("gene,s1,s2\nTP53,1,2\nTP53,3,4\n") { $0.label = .name("none") }
      == "row 2, column 'gene' (1): found 'TP53' between commas, expected a number; name a column of names of samples "
      + "by data.id=1, and if these are features, set data.samples=columns")
  #expect(
    problem("a,label\n1,2\n") { $0.samples = .columns }?
      .hasSuffix("and a column 'label'; if samples are rows, leave data.samples out") == true)
  #expect(
    problem("a,tpye\n1,x\n") { $0.label = .name("type") }
      == "found no column 'type' for the labels; did you mean 'tpye'; name one by data.label, by its number say, a file of "
      + "labels by data.labelFile, or set data.label=none")
  #expect(problem("a,b,c,d,e,f,g,h,i\n1,2,3,4,5,6,7,8,x\n")?.contains("among a, b, c, d, …, g, h, i; name") == true)
}

// MARK: Headers

@Test func aHeaderOfNumbersIsNoSample() throws {
  let names = (1...9).map { "\($0)00.5" }.joined(separator: ",")
  let row = "3,1,4,1,5,9,2,6,5"
  let problem1 = problem("\(names)\n\(row)\n") { $0.label = .name("none") }
  #expect(
    problem1
      == "row 1: its numbers rise from 100.5 to 900.5, as names of columns do; set data.header=true, or data.header=false if it is "
      + "data")
  for header in [true, false] {
    let found = try table("\(names)\n\(row)\n") { ($0.label, $0.header) = (.name("none"), header) }
    #expect(found.inputs.shape == [header ? 1 : 2, 9])
  }
  // Series that rise in each row are data.
  #expect(try table("\(names)\n\(names)\n") { $0.label = .name("none") }.inputs.shape == [2, 9])
  #expect(
    problem(",\(names)\ngene,\(row)\n") { ($0.samples, $0.label) = (.columns, .name("none")) }?.contains(
      "data.header=true") == true)
}

// MARK: Ids

@Test func aFirstColumnOfTextsThatAllDifferIsOfIds() throws {
  let found = try table("patient,a,label\np1,1,x\np2,2,y\n")
  #expect(found.ids == ["p1", "p2"] && found.featureNames == ["a"])
  #expect(
    found.remark?.hasSuffix(
      "column 'patient' has a text of its own in each row, and is taken for the names of the samples (data.id); if samples are "
        + "columns, set data.samples=columns") == true)
  // Behind the labels, too; where one is there twice they are no ids.
  #expect(try table("label,patient,a\nx,p1,1\ny,p2,2\n").ids == ["p1", "p2"])
  #expect(
    problem("patient,a,label\np1,1,x\np1,2,y\n")?.contains("column 'patient' (1): found 'p1' between commas") == true)
  #expect(problem("patient,a,label\np1,1,x\np2,2,y\n") { $0.id = .name("none") }?.contains("found 'p1'") == true)
}

@Test func idsAreThoseOfTheColumnThatIsNamed() throws {
  let text = "a,patient,label\n1,7,x\n2,7,y\n"
  for id in [NameOrNumber.name("patient"), .number(2), .number(-2)] {
    let found = try table(text) { $0.id = id }
    // A patient may have several samples.
    #expect(found.ids == ["7", "7"] && found.featureNames == ["a"] && found.remark == nil)
  }
  #expect(problem(text) { $0.id = .name("patent") }?.contains("Did you mean 'patient'?") == true)
  #expect(problem(text) { $0.id = .number(4) } == "found no column 4 among 3 for the ids")
  let columns = try table("f,1,2\nname,s1,s2\nlabel,x,y\n") {
    ($0.samples, $0.header, $0.id) = (.columns, false, .name("name"))
  }
  #expect(columns.ids == ["s1", "s2"] && columns.featureNames == ["f"])
}

@Test func columnsOfWholeNumbersThatAllDifferArePointedOut() throws {
  func remark(_ numbers: [Int]) throws -> String? {
    try table((["number,a,label"] + numbers.map { "\($0),0.5,x" }).joined(separator: "\n")).remark
  }
  #expect(
    try remark(Array(101...112))?.hasSuffix(
      "column 1 'number' counts the samples, and is read as a feature; if it names the samples, set data.id=1") == true)
  #expect(
    try remark([5, 9, 2, 40, 41, 7, 88, 13, 60, 71])?.contains("has a whole number of its own in each row") == true)
  #expect(try remark([5, 9, 2, 40, 41, 7, 88, 13, 60, 5]) == nil, "one is there twice")
  #expect(try remark([5, 9, 2]) == nil, "a few may differ by chance")
}

@Test func columnsOfNewRowsAreFoundByName() throws {
  let wanted = ["b", "a"]
  let found = try table("id,a,note,b,label\np1,1,good,2,x\np2,3,bad,4,y\n") { $0.features = wanted }
  #expect(found.featureNames == wanted && found.labels == ["x", "y"] && found.ids == ["p1", "p2"])
  #expect(try found.inputs.floats() == [2, 1, 4, 3])
  let unlabelled = try table("b,a\n2,1\n") { $0.features = wanted }
  #expect(try unlabelled.labels == nil && unlabelled.inputs.floats() == [2, 1])
  #expect(
    problem("a,c,label\n1,2,x\n") { $0.features = wanted }?.contains(
      "lacks 1 of the 2 columns that the model takes, the first 'b', and has a; add them") == true)
  let columns = try table("f,s1,s2\na,1,2\nz,text,text\nb,3,4\n") { ($0.samples, $0.features) = (.columns, wanted) }
  #expect(try columns.inputs.floats() == [3, 1, 4, 2] && columns.labels == nil)
}
