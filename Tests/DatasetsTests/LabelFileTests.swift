import Foundation
import LatentKit
import Testing

@testable import Datasets

private let named = ",a,b\ns1,1,2\ns2,3,4\ns3,5,6\ns4,7,8\n"
private let unnamed = "a,b\n1,2\n3,4\n5,6\n7,8\n"

/// A table whose labels are in a file of their own.
private func joined(
  of table: String = named, _ labels: String, _ change: (inout TableFormat) -> Void = { _ in }
) throws -> DataTable {
  try withFolder { folder in
    let files = ["cells.csv", "types.csv"].map(folder.appendingPathComponent)
    try files[0].write(Array(table.utf8))
    try files[1].write(Array(labels.utf8))
    var format = TableFormat()
    format.labelFile = files[1]
    change(&format)
    return try DataTable.labelled(contentsOf: files[0], format).table
  }
}

private func problem(
  of table: String = named, _ labels: String, _ change: (inout TableFormat) -> Void = { _ in }
) -> String? {
  message { _ = try joined(of: table, labels, change) }.map {
    String($0.split(separator: "types.csv: ", maxSplits: 1).last ?? "")
  }
}

@Test(arguments: [
  "id,type\ns3,x\ns1,y\ns4,x\ns2,y\n", "s3\tx\ns1\ty\ns4\tx\ns2\ty\n", "type,age,id\nx,7,s3\ny,8,s1\nx,9,s4\ny,6,s2\n",
  "type\ns3,x\ns1,y\ns4,x\ns2,y\n",
]) func labelsAreJoinedByTheNamesOfSamples(file: String) throws {
  let found = try joined(file) { $0.label = file.contains("type") ? .name("type") : nil }
  #expect(found.labels == ["y", "y", "x", "x"])
  #expect(try found.inputs.floats() == [1, 2, 3, 4, 5, 6, 7, 8])
  #expect(found.ids == ["s1", "s2", "s3", "s4"] && found.featureNames == ["a", "b"] && found.remark == nil)
}

@Test(arguments: ["x\ny\nx\ny\n", "type\nx\ny\nx\ny\n"]) func labelsAloneAreInTheOrderOfRows(file: String) throws {
  for table in [named, unnamed] { #expect(try joined(of: table, file).labels == ["x", "y", "x", "y"]) }
}

@Test func namesInOneFileAloneAreSaid() throws {
  let found = try joined(of: unnamed, "id,type\ns1,x\ns2,y\ns3,x\ns4,y\n")
  #expect(found.labels == ["x", "y", "x", "y"])
  #expect(found.remark?.contains("were taken in the order of the rows, as cells.csv has no names") == true)
  let more = try joined("id,type\ns1,x\ns2,y\nq,y\ns3,x\ns4,y\nr,x\n")
  #expect(more.labels == ["x", "y", "x", "y"])
  #expect(more.remark?.hasSuffix("2 of its 6 rows are of no sample of cells.csv, the first 'q'") == true)
}

@Test func whatDoesNotFitIsSaid() {
  #expect(
    problem("id,type\ns1,x\ns4,y\n")
      == "has no label for 2 of the 4 samples of cells.csv, the first 's2'; add them, or leave these samples out of the "
      + "table")
  #expect(problem("id,type\ns1,x\ns2,\ns3,x\ns4,y\n")?.hasPrefix("has no label for 1 of the 4 samples") == true)
  #expect(
    problem("id,type\nS1,x\nS2,y\n")
      == "has none of the names of the samples of cells.csv, such as 's1', in any column but that of the labels; write "
      + "them as cells.csv does")
  #expect(
    problem("id,type\ns1,x\ns2,x\ns1,y\n") == "rows 2 and 4 give 's1' the labels 'x' and 'y'; keep one of them")
  #expect(problem("type\nx\ny\n")?.hasPrefix("has 3 rows, and cells.csv 4 samples") == true)
  #expect(problem("type\nx\ny\nx\n")?.hasPrefix("row 1: found 'type' and no other label like it") == true)
  #expect(problem("x\ny\n\"\"\"\"\nx\ny\nx\n")?.hasPrefix("has 6 rows") == true)
  #expect(problem("id,type\ns1\n") == "row 2: found 1 cells, expected 2 as in row 1; check its separators")
  #expect(problem("id,a,b\ns1,1,2\n") == "has the columns id, a, b; name that of the labels by data.label")
  #expect(
    problem("id,type\ns1,1\n") { $0.label = .name("tpye") }
      == "there is no column of labels 'tpye'; known: id, type. Did you mean 'type'?")
  #expect(problem("id,type\ns1,1\n") { $0.label = .number(3) } == "found no column 3 among 2 for the labels")
  #expect(problem("") == "is empty, expected labels")
}

@Test func theLabelFileIsASettingThatOnlyRecipesWithItName() throws {
  try withFolder { folder in
    try folder.appendingPathComponent("t.csv").write(Array(named.utf8))
    try folder.appendingPathComponent("l.csv").write(Array("id,type\ns1,x\ns2,y\ns3,x\ns4,y\n".utf8))
    func load(_ values: [String: Value]) throws -> Dataset {
      try DatasetLibrary.table.load(values, from: folder)
    }
    let found = try load(["path": "t.csv", "labelFile": "l.csv"])
    #expect(found.classNames == ["x", "y"])
    // The checksum is of both files.
    try folder.appendingPathComponent("l.csv").write(Array("id,type\ns1,y\ns2,y\ns3,x\ns4,x\n".utf8))
    #expect(try load(["path": "t.csv", "labelFile": "l.csv"]).digest != found.digest)
    #expect(
      message { _ = try load(["path": "t.csv", "labelFile": "l.csv", "label": "none"]) }?
        .contains("expected nothing beside data.label=none") == true)
  }
  let resolved = try DatasetLibrary.table.resolved(["path": "t.csv"])
  #expect(resolved["labelFile"] == nil && resolved["layer"] == nil && resolved["label"] == .null)
  #expect(try DatasetLibrary.table.resolved(["labelFile": "l.csv"])["labelFile"] == "l.csv")
}
