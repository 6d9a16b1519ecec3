import Files
import Foundation
import LatentKit
import Testing

@testable import Datasets

/// Six rows of a table with ids, and what loading it with a split comes to.
private func load(_ split: String, ids: [String] = ["a", "b", "c", "d", "e", "f"]) throws -> Dataset {
  try withFolder { folder in
    let rows = ids.enumerated().map { "\($1),\($0).5,\($0 % 2)" }
    let (table, file) = (folder.appendingPathComponent("t.csv"), folder.appendingPathComponent("split.csv"))
    try Data((["name,x,label"] + rows).joined(separator: "\n").utf8).write(to: table)
    try Data(split.utf8).write(to: file)
    let entry = try DatasetShelf.known.entry("table")
    let values: [String: Value] = [
      "path": .string(table.path), "splitFile": .string(file.path), "id": .string("name"), "validation": .double(0),
    ]
    let loaded = try entry.load(values)
    return try loaded.prepared(entry.sharedSettings(values), seed: 1)
  }
}

private func parts(_ dataset: Dataset) throws -> [[Int]] {
  try [dataset.train, dataset.validation, dataset.test].map { try $0?.rows?.ints() ?? [] }
}

@Test func partsAreThoseOfTheFileByRowOrById() throws {
  let byRow = try load("row,part,more\n5,test,x\n0,train,x\n2,validation,x\n1,Training,x\n3,test,x\n4,val,x\n")
  #expect(try parts(byRow) == [[0, 1], [2, 4], [3, 5]])
  #expect(try byRow.train.inputs.floats() == [0.5, 1.5] && byRow.test?.labels?.ints() == [1, 1])
  let byID = try load("id;row;part\nf;5;test\na;0;train\nc;;valid\nb;;train\n")
  #expect(try parts(byID) == [[0, 1], [2], [5]])
  #expect(byID.remark?.hasSuffix("split.csv puts 2 of 6 rows into no part") == true)
  // Nothing is cut where the file has no validation part.
  #expect(try load("row,part\n0,train\n1,train\n5,test\n").validation == nil)
}

@Test func anIdStandsForAllOfItsRows() throws {
  let patients = try load("id,part\np,train\nq,test\nr,val\n", ids: ["p", "q", "p", "r", "q", "p"])
  #expect(try parts(patients) == [[0, 2, 5], [3], [1, 4]])
  // What a run with such ids writes is read back.
  let written = "id,row,part\np,0,train\nq,1,test\np,2,test\n"
  #expect(try parts(load(written, ids: ["p", "q", "p", "r", "q", "p"])) == [[0], [], [1, 2]])
}

@Test func aSplitThatChangesIsNoticed() throws {
  let (one, other) = (try load("row,part\n0,train\n5,test\n"), try load("row,part\n1,train\n5,test\n"))
  #expect(one.digest != other.digest)
}

@Test func whatIsWrongWithASplitIsSaid() {
  func problem(_ split: String, ids: [String] = ["a", "b", "c", "d", "e", "f"]) -> String? {
    message { _ = try load(split, ids: ids) }.map {
      String($0.split(separator: "split.csv: ", maxSplits: 1).last ?? "")
    }
  }
  #expect(
    problem("row,kind\n0,train\n")
      == "has the columns row, kind, expected 'part' and 'row', counted from 0, or 'id' where the data have ids; a run's "
      + "split.csv is such a file")
  #expect(problem("row,part\n0,train\n6,test\n") == "row 3: found row '6', expected 0 to 5, as the data have 6 rows")
  #expect(problem("id,part\nz,train\n") == "row 2: no row of the data has the id 'z'; correct it, or leave the row out")
  #expect(problem("row,part\n0,dev\n") == "row 2: found the part 'dev', expected train, validation or test")
  #expect(
    problem("row,part\n0,train\n0,test\n") == "row 3: puts row 0 into a part, as row 2 does; keep one of them")
  #expect(problem("row,part\n0,train\n") == "puts no row into the part 'test', expected one or more")
  #expect(
    problem("id,row,part\na,1,train\n")
      == "row 2: found id 'a' and row 1, which is not of that id; correct one, or leave a column out")
  #expect(problem("") == "is empty, expected rows and their parts")
}
