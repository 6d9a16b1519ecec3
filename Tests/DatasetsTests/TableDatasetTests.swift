import Files
import Foundation
import LatentKit
import Testing

@testable import Datasets

@Test func theSettingsTakeColumnsByNameAndByNumber() throws {
  try withFolder { folder in
    try folder.appendingPathComponent("t.csv").write(Array("a,b,c,label\n1,2,3,x\n4,5,6,y\n7,8,9,x\n0,0,0,y\n".utf8))
    let settings = try DataSettings(["path": "t.csv", "label": -1, "drop": [1, "c"]], at: "data.with")
    let found = try DatasetLibrary.load("table", settings: settings, from: folder)
    #expect(found.featureNames == ["b"])
    #expect(try settings.values["drop"] == [1, "c"])
  }
}

@Test func measurementsAreRefusedAsLabels() throws {
  try withFolder { folder in
    let lines = (0..<9).map { "\($0),\(Double($0 / 2) / 8)" }  // 5 labels for 9 samples
    try folder.appendingPathComponent("t.csv").write(Array((["x,age"] + lines).joined(separator: "\n").utf8))
    func load(_ label: Value) throws -> Dataset {
      try DatasetLibrary.load("table", settings: DataSettings(["path": "t.csv", "label": label], at: ""), from: folder)
    }
    let found = message { _ = try load("age") }
    #expect(found?.contains("has 5 different labels for 9 samples, such as '0.0', expected classes of several") == true)
    #expect(try load("none").train.count == 9)
  }
}

@Test func aTableIsCutIntoTrainingAndTestByShareOrByFold() throws {
  try withFolder { folder in
    let lines = (0..<40).map { "\($0),\($0 % 4 == 0 ? "rare" : "often")" }
    try folder.appendingPathComponent("t.csv").write(Array((["x,label"] + lines).joined(separator: "\n").utf8))
    func load(_ settings: [String: Value]) throws -> Dataset {
      let all = settings.merging(["path": "t.csv"]) { $1 }
      return try DatasetLibrary.load("table", with: DataSettings(all, at: "data.with"), seed: 1, from: folder)
    }
    let plain = try load([:])
    #expect(plain.test?.count == 10)
    #expect(plain.validation?.count == 3 && plain.train.count == 27)
    #expect(plain.origin.description.hasSuffix("test = a stratified share of 0.25, by seed 1"))
    #expect(try load(["test": 0.5]).test?.count == 20)
    #expect(try load(["folds": 5, "fold": 2]).test?.labels?.ints().sorted() == [0, 0, 0, 0, 0, 0, 1, 1])
    #expect(message { _ = try load(["folds": 5, "test": 0.5]) }?.hasPrefix("data.with.test: found 0.5") == true)
    #expect(
      message { _ = try load(["pad": 2]) } == "data.with.pad: is for images, and 'table' is a table; leave it out")
    #expect(
      message { _ = try DatasetLibrary.load("table", settings: DataSettings()) }?.hasPrefix("data.with.path") == true)
  }
  func refused(_ name: String, _ settings: [String: Value]) -> String? {
    message { _ = try DatasetLibrary.load(name, with: DataSettings(settings, at: "data.with"), seed: 0) }
  }
  #expect(
    refused("mnist", ["label": "y", "embedded": true])
      == "data.with.label: is for tables, and 'mnist' has images; leave it out")
  #expect(refused("mnist", ["test": 0.5, "embedded": true])?.contains("'mnist' has a test part of its own") == true)
  #expect(refused("olsson", ["decimal": "comma"])?.contains("is known for 'olsson'") == true)
}

@Test func runsWriteDownTheSettingsOfTheirKindOfData() throws {
  let images = try Dataset(
    name: "x", title: "X", train: tinyExamples(3), test: tinyExamples(3), classCount: 3, origin: .made("test"))
  let found = try DataSettings().values(for: images)
  #expect(found["pad"] == 0 && found["path"] == nil && found["missing"] == nil)
}

@Test func theLungSetIsKnownByNameAndItsFormatIsRead() throws {
  try withFolder { folder in
    let absent = message { _ = try DatasetLibrary.load("lung", settings: DataSettings(), from: folder) }
    #expect(absent?.contains("put LUNG.csv from MetaboLights, https://www.ebi.ac.uk/metabolights/MTBLS28") == true)
    let lung = try DatasetLibrary.description("lung")
    for environment in [[:], ["LATENTKIT_DATA": folder.path]] {
      let status = lung.status(in: nil, environment: environment)
      #expect(status.hasPrefix("not here; put LUNG.csv from MetaboLights, ") && !status.contains("fetch"))
    }
    #expect(absent?.contains("host data fetch") == false)
    let refused = message { _ = try DatasetFetcher.fetch("lung", into: folder) }
    #expect(refused?.hasPrefix("no address to fetch 'lung' from is known; put LUNG.csv from MetaboLights, ") == true)
    let text = "Name;s1;s2;s3;s4\r\nLabel;2;1;2;1\r\nMZ 308.2;1,5;2;3;0\r\nMZ 561.3;4;5;6,25;7\r\n"
    try folder.appendingPathComponent("lung/LUNG.csv").write(Array(text.utf8))
    let dataset = try DatasetLibrary.load("lung", settings: DataSettings(), from: folder)
    #expect(try dataset.train.inputs.floats() == [1.5, 4, 2, 5, 3, 6.25, 0, 7])
    #expect(try dataset.train.labels?.ints() == [1, 0, 1, 0])
    #expect(dataset.test == nil && dataset.featureNames == ["MZ 308.2", "MZ 561.3"])
    let report = try DatasetVerifier.verify("lung", in: folder)
    #expect(report.problems == ["found 4 samples x 2 features, expected 1,005 x 2944"])
  }
}
