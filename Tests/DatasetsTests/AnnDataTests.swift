import Files
import Foundation
import LatentKit
import Testing

@testable import Datasets

/// `values` of `Fixtures/make-anndata.py`.
private let values = (0..<18).map { (3..<6).contains($0) ? 0 : Float($0) }
private let features = ["Actb", "Gapdh", "Cd3e"]
private let samples = (0..<6).map { "cell-\($0)" }

private func read(_ url: URL, _ change: (inout TableFormat) -> Void = { _ in }) throws -> DataTable {
  var format = TableFormat()
  change(&format)
  return try DataTable(contentsOf: url, format)
}

private func cells(_ name: String = "cells.h5ad", _ change: (inout TableFormat) -> Void = { _ in }) throws -> DataTable
{
  try read(fixture(name), change)
}

/// What is wrong with a file, after its name.
private func problem(_ name: String = "cells.h5ad", _ change: (inout TableFormat) -> Void = { _ in }) throws -> String {
  let found = message { _ = try cells(name, change) } ?? "none"
  return found.replacing(try fixture(name).path, with: "")
}

@Test(arguments: ["cells.h5ad", "sparse.h5ad", "old.h5ad"])
func anAnnDataFileIsATableAsAnndataWroteIt(name: String) throws {
  let found = try cells(name) { $0.label = .name("cell_type") }
  #expect(found.inputs.shape == [6, 3])
  #expect(try found.inputs.floats() == values)
  #expect(found.featureNames == features && found.ids == samples)
  #expect(found.labels == ["T", "B", "T", "B", "T", "B"])
}

@Test(arguments: ["cells.h5ad", "sparse.h5ad"]) func aLayerIsReadInPlaceOfX(name: String) throws {
  let found = try cells(name) { ($0.layer, $0.label) = ("counts", .name("none")) }
  #expect(try found.inputs.floats() == values.map { 2 * $0 })
  let misspelt = try problem(name) { $0.layer = "count" }
  #expect(misspelt == ": there is no layer 'count'; known: counts. Did you mean 'counts'?")
  #expect(try problem("old.h5ad") { $0.layer = "counts" } == ": there is no layer 'counts'; there are none.")
}

@Test func labelsMayBeCategoriesTextNumbersOrTruthValues() throws {
  func labels(_ column: NameOrNumber) throws -> [String]? { try cells { $0.label = column }.labels }
  #expect(try labels(.name("batch")) == ["b1", "b1", "b2", "b2", "é", "é"])
  #expect(try labels(.name("leiden")) == ["0", "1", "10", "0", "1", "10"])
  #expect(try labels(.name("age")) == ["1", "2.5", "1", "2.5", "1", "2.5"])
  #expect(try labels(.name("doublet")) == ["True", "False", "True", "False", "True", "False"])
  #expect(try labels(.number(1)) == ["T", "B", "T", "B", "T", "B"])
  #expect(try labels(.name("none")) == nil)
}

@Test func labelsThatAreNotThereAreSaidWithTheColumns() throws {
  let columns = "cell_type, batch, leiden, age, doublet, partly, stage"
  #expect(
    try problem()
      == ": has the columns \(columns) in obs, expected one of labels; name it by data.label, a file of labels by "
      + "data.labelFile, or set data.label=none")
  #expect(
    try problem { $0.label = .name("celltype") }
      == ": there is no column of obs 'celltype'; known: \(columns). Did you mean 'cell_type'?")
  #expect(
    try problem { $0.label = .name("partly") }
      == ": has no value in column 'partly' of obs for 2 of 6 samples, the first 'cell-1'; leave them out by "
      + "adata[adata.obs['partly'].notna()], or name another column by data.label")
  #expect(try problem { $0.label = .name("stage") }.contains("for 1 of 6 samples, the first 'cell-5'"))
}

@Test func featuresAreDroppedAndSettingsOfTextRefused() throws {
  let found = try cells { ($0.label, $0.drop) = (.name("none"), [.name("Gapdh"), .number(-1)]) }
  #expect(found.featureNames == ["Actb"])
  #expect(try found.inputs.floats() == [0, 0, 6, 9, 12, 15])
  #expect(try problem { $0.samples = .columns } == ": is of AnnData, and data.samples is for other files; leave it out")
  let text = message {
    try withFolder { folder in
      let file = folder.appendingPathComponent("t.csv")
      try file.write(Array("a,label\n1,x\n".utf8))
      _ = try read(file) { $0.layer = "counts" }
    }
  }
  #expect(text?.hasSuffix("is no .h5ad file, and data.layer=counts is for those; leave it out") == true)
}

@Test func otherFilesOfHDF5AreRefused() throws {
  #expect(
    try problem("other.h5")
      == ": is an HDF5 file with matrix, expected an AnnData file with X, obs and var, as adata.write_h5ad saves it")
  #expect(
    try problem("oldest.h5ad")
      == ": has 'obs' in the form of anndata before 0.7; read it with a newer anndata and save it by adata.write_h5ad")
  let packed = message {
    try withFolder { folder in
      let file = folder.appendingPathComponent("t.h5ad.gz")
      try file.write(gzip(fixtureBytes("cells.h5ad")))
      _ = try read(file)
    }
  }
  #expect(packed?.hasSuffix("is a packed HDF5 file; unpack it, by gunzip say") == true)
}

@Test func aTruncatedAnnDataFileIsRefusedAtAnyLength() throws {
  let whole = try fixtureBytes("cells.h5ad")
  try withFolder { folder in
    let file = folder.appendingPathComponent("t.h5ad")
    for length in stride(from: 8, to: whole.count, by: 331) {
      try file.write(Array(whole.prefix(length)))
      let found = message { _ = try read(file) { $0.label = .name("cell_type") } }
      #expect(found?.contains("is truncated or corrupted") == true, "\(length): \(found ?? "read")")
    }
  }
}

@Test func damagedTextsAreRefusedWhereLibhdf5WouldNotReturn() throws {
  var bytes = try fixtureBytes("sparse.h5ad")
  // The size of a text: what follows it is then read as free space of no size.
  bytes[3024] = 0xea
  try withFolder { folder in
    let file = folder.appendingPathComponent("t.h5ad")
    try file.write(bytes)
    let found = message { _ = try read(file) }
    #expect(found?.hasSuffix("is truncated or corrupted: its texts cannot be told apart; get the file again") == true)
  }
}

/// A file as `AnnData` writes it.
private func written(_ data: AnnData, _ body: (URL) throws -> Void) throws {
  try withFolder { folder in
    let file = folder.appendingPathComponent("t.h5ad")
    try data.write(to: file)
    try body(file)
  }
}

@Test func whatIsWrittenIsReadAgain() throws {
  let data = AnnData(
    rows: try Tensor(values, shape: [6, 3]), featureNames: features, ids: samples,
    columns: [
      ("label", .categories(["T", "B", "T", "B", "T", "B"], of: ["T", "B"])),
      ("note", .texts(["", "ü", "a", "b", "c", "d"])),
      ("p/q", .numbers([0, 0.5, 0, 0.5, 0, 0.5])),
    ], embeddings: [("X_latent", try Tensor([Float](repeating: 1, count: 12), shape: [6, 2]))])
  try written(data) { file in
    let found = try read(file)
    #expect(try found.inputs.floats() == values)
    #expect(found.featureNames == features && found.ids == samples)
    #expect(found.labels == ["T", "B", "T", "B", "T", "B"])
    #expect(try read(file) { $0.label = .name("p_q") }.labels == ["0", "0.5", "0", "0.5", "0", "0.5"])
    #expect(message { _ = try read(file) { $0.label = .name("note") } }?.contains("the first 'cell-0'") == true)
    // Nothing of the moment is in the file.
    let bytes = try Data(contentsOf: file)
    try data.write(to: file)
    #expect(try Data(contentsOf: file) == bytes)
  }
  let unnamed = AnnData(rows: try Tensor([Float](repeating: 2, count: 2), shape: [2, 1]), featureNames: ["a"])
  try written(unnamed) { file in
    let found = try read(file) { $0.label = .name("none") }
    #expect(found.ids == ["0", "1"] && found.labels == nil)
  }
  let short = AnnData(rows: try Tensor(values, shape: [6, 3]), featureNames: features, ids: ["a"])
  #expect(message { try written(short) { _ in } }?.hasPrefix("found rows of shape [6, 3]") == true)
}

@Test func valuesThatAreMissingAndNamesThatAreTwiceAreSaid() throws {
  func data(_ names: [String]) throws -> AnnData {
    AnnData(rows: try Tensor([1, .nan, 3, 4] as [Float], shape: [2, 2]), featureNames: names, ids: ["s", "t"])
  }
  try written(data(["f", "g"])) { file in
    #expect(
      message { _ = try read(file) { $0.label = .name("none") } }?.hasSuffix(
        "sample 's', feature 'g': found nan, expected a finite number; set data.missing=keep and add the transform 'impute'"
      )
        == true)
    let kept = try read(file) { ($0.label, $0.missing) = (.name("none"), .keep) }
    #expect(try kept.inputs.floats().map(\.isNaN) == [false, true, false, false])
  }
  try written(data(["f", "f"])) { file in
    #expect(
      message { _ = try read(file) }?.hasSuffix("make their names differ by adata.var_names_make_unique()") == true)
  }
}

@Test func aSparseMatrixUnpacksUpToTheLimit() throws {
  #expect(
    try problem("sparse.h5ad") { ($0.unpackLimit, $0.label) = (0, .name("none")) }.contains("raise the limit") == true)
}

@Test func anAnnDataFileIsADataSetWithItsOwnChecksum() throws {
  let settings = try DataSettings(["path": .string(fixture("cells.h5ad").path), "label": "cell_type"], at: "")
  let found = try DatasetLibrary.load("table", settings: settings)
  #expect(found.classNames == ["B", "T"] && found.featureNames == features)
  #expect(try found.digest == Checksum(.md5, of: fixture("cells.h5ad")).digits)
}
