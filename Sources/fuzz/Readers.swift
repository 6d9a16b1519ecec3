import Datasets
import ForeignParts
import Foundation
import LatentKit
import Recipes
import Reports
import Runs
import Studies
import Training

/// Every reader of a file that LatentKit did not just write itself. A new one is an element here, or a function of some;
/// data sets of the catalog that read `data.path` come by themselves.
let allReaders: [Reader] = tables + images + dataReaders + recipes + runFiles

/// The files of a repository, up to 64 KiB each, that readers are tried on beside those made here.
func files(in folders: [String]) -> [(url: URL, bytes: [UInt8])] {
  let urls = folders.flatMap { folder -> [URL] in
    let all = FileManager.default.enumerator(at: URL(fileURLWithPath: folder), includingPropertiesForKeys: nil)
    return all?.allObjects as? [URL] ?? []
  }
  return urls.sorted { $0.path < $1.path }.compactMap { url in
    guard let size = try? url.resourceValues(forKeys: [.fileSizeKey, .isRegularFileKey]), size.isRegularFile == true,
      size.fileSize ?? 0 <= 1 << 16, let data = try? Data(contentsOf: url)
    else { return nil }
    return (url, [UInt8](data))
  }
}

private func found(_ extensions: String...) -> [Original] {
  files(in: ["Tests", "Plugins"]).filter { extensions.contains($0.url.pathExtension) }.map { Original($0.bytes) }
}

// MARK: Tables

private let tables = [
  table("csv", file: "t.csv") { texts + found("csv") },
  table("tsv", file: "t.tsv") {
    [
      Original("a\tb\tclass\n1\t2\tx\n3\t4.5\ty\n5\t6\tx\n7\t8\ty\n"),
      Original("a\tb\tclass\n1\t2\tx\n3,5\t4\ty\n5\t6\tx\n"), Original("id\ts1\ts2\nclass\t1\t2\nf\t0,5\t1\n"),
    ]
  },
  table("gzip", file: "t.csv.gz") {
    texts.map { text in Original(text.pieces) { gzip($0[0]) } }
      + [Original(texts[0].pieces + texts[1].pieces) { gzip($0[0]) + gzip($0[1]) }]
  },
  table("npy", file: "t.npy") { arrays + found("npy") },
  table("npz", file: "t.npz") { archives + found("npz") },
  table("h5ad", file: "t.h5ad") { found("h5ad") },
]

private let texts = [
  Original("a,b,c,label\n1,2.5,-3e-2,x\n4,5,6,y\n7,8,9,x\n1,1,1,y\n"),
  Original("1;2,5;x\n3;4,25;y\n5;6;x\n"),
  Original("\u{feff}\"name, quoted\",\"with \"\"quotes\"\"\",class\r\n1,2,\"a\nb\"\r\n3,NA,01\r\n5,6,+1\r\n"),
  Original("feature;s1;s2;s3\nLabel;1;2;1\nf1;0,5;1,5;2,5\nf2;;3;1\n"),
]

private let arrays: [Original] = [
  npy("<f4", "(3, 2)", floats([1, 2, 3, 4, 5, 6])),
  npy("<f4", "(3, 2)", fortran: true, floats([1, 2, 3, 4, 5, 6])),
  npy(">i8", "(2, 3)", (1...6).flatMap { bigEndian([0, $0]) }),
  npy("|u1", "(4, 2)", [1, 2, 3, 4, 5, 6, 7, 8]),
  npy("|b1", "(2, 2)", [0, 1, 1, 0]),
  npy("<U2", "(2, 2)", (1...8).flatMap { littleEndian(0x60 + $0) }),
]

private let archives: [Original] = {
  let names = ["x.npy", "y.npy"]
  let (x, y) = (
    npy("<f4", "(3, 2)", floats([1, 2, 3, 4, 5, 6])),
    npy("<i8", "(3,)", [0, 1, 0].flatMap { littleEndian($0, bytes: 8) })
  )
  return [false, true].flatMap { packed in
    [
      Original(x.pieces + y.pieces) { pieces in
        zip(
          [(names[0], npy(header: pieces[0], pieces[1])), (names[1], npy(header: pieces[2], pieces[3]))], packed: packed
        )
      },
      Original([npy(header: x.pieces[0], x.pieces[1]), Array("x.npy".utf8)]) { pieces in
        zip([(String(decoding: pieces[1], as: UTF8.self), pieces[0]), ("y.npy", y.assemble(y.pieces))], packed: packed)
      },
    ]
  }
}()

private func table(_ name: String, file: String, originals: @escaping @Sendable () throws -> [Original]) -> Reader {
  Reader(name, file: file, originals: originals) { url, noise in
    var settings = DataSettings()
    settings.path = url.path
    if noise.oneIn(2) {
      settings.label = noise.pick([NameOrNumber.name("none"), .name("class"), .number(-1), .number(1)])
    }
    if noise.oneIn(4) { settings.samples = .columns }
    if noise.oneIn(3) { settings.missing = .keep }
    if noise.oneIn(4) { settings.header = noise.oneIn(2) }
    if noise.oneIn(4) { settings.decimal = .comma }
    if noise.oneIn(4) { settings.separator = noise.pick([.comma, .semicolon, .tab]) }
    if noise.oneIn(8) { settings.drop = [.number(1)] }
    if url.pathExtension == "h5ad" {
      settings.label = .name(noise.pick(["none", "cell_type", "leiden", "partly", "stage", "batch"]))
      if noise.oneIn(4) { settings.layer = "counts" }
      if noise.oneIn(2) {
        (settings.samples, settings.header, settings.decimal, settings.separator) = (.rows, nil, .point, .auto)
      }
    }
    let set = try DatasetLibrary.load("table", settings: settings)
    try require(set.train.count > 0 && !set.inputShape.contains(0), "took a table of shape \(set.train.inputs.shape)")
    let hasInfinity = try set.train.inputs.floats().contains { $0.isInfinite }
    try require(!hasInfinity, "took an infinite number")
    guard let labels = try set.train.labels?.ints() else { return }
    try require(labels.allSatisfy { (0..<(set.classCount ?? 0)).contains($0) }, "made labels of no class")
    let names = set.classNames ?? []
    try require(Set(names).count == names.count, "made two classes of one name: \(names)")
  }
}

// MARK: Images

private let images: [Reader] = [
  Reader("idx", file: "images-idx3-ubyte") {
    let files: [(header: [UInt8], payload: [UInt8])] = [
      (bigEndian([2051, 2, 3, 3]), Array(0..<18)), (bigEndian([2049, 5]), [0, 1, 2, 1, 0]),
      (bigEndian([2050, 1, 2]), [3, 4]),
    ]
    return files.flatMap { file in
      [
        Original([file.header, file.payload]) { $0[0] + $0[1] },
        Original([file.header, file.payload]) { gzip($0[0] + $0[1]) },
      ]
    }
  } read: { url, noise in
    let file = try IDX(contentsOf: url, expecting: noise.pick([.any, .images, .labels]))
    try require(file.bytes.count == file.shape.reduce(1, *), "took \(file.bytes.count) bytes as \(file.shape)")
  },
  Reader("mat", file: "t.mat") {
    found("mat")
  } read: { url, noise in
    let file = try MATFile(contentsOf: url)
    guard !file.names.isEmpty else { return }
    let matrix = try file.matrix(noise.pick(file.names))
    let (rows, columns, count) = (matrix.rows, matrix.columns, matrix.values.count)
    try require(rows > 0 && columns > 0 && rows * columns == count, "took \(count) values as \(rows) x \(columns)")
  },
  Reader("cifar", file: "data_batch.bin") {
    let record = (0..<3072).map { UInt8($0 % 251) }
    let files = [[[3], record], [[0], record, [9], record]].map { $0 as [[UInt8]] }
    return files.flatMap { pieces in
      [Original(pieces) { $0.flatMap { $0 } }, Original(pieces) { gzip($0.flatMap { $0 }) }]
    }
  } read: { url, _ in
    let set = try CIFARFiles.examples(contentsOf: url)
    let labels = try set.labels?.ints() ?? []
    try require(set.count > 0 && labels.count == set.count, "took \(labels.count) labels for \(set.count) images")
    try require(labels.allSatisfy { (0...9).contains($0) }, "made labels of no class")
  },
]

// MARK: Recipes and experiments

let catalog = try! Catalog(plugins)

/// The files of all plugins in a folder of this name.
private func ofPlugins(_ folder: String) -> [URL] {
  let plugins = (try? FileManager.default.contentsOfDirectory(atPath: "Plugins")) ?? []
  return plugins.sorted().flatMap { plugin -> [URL] in
    let place = URL(fileURLWithPath: "Plugins/\(plugin)/\(folder)")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []
    return names.sorted().filter { $0.hasSuffix(".yaml") }.map { place.appendingPathComponent($0) }
  }
}

private let recipes: [Reader] = [
  Reader("recipe", file: "recipe.yaml") {
    let files = try ofPlugins("recipes").map { try [UInt8](Data(contentsOf: $0)) }
    // As a run writes them: every setting said.
    let resolved = try ofPlugins("recipes").map {
      Original(try Composer(catalog).resolve(Recipe.read($0).recipe).yaml())
    }
    return files.map { Original($0) } + resolved
  } read: { url, _ in
    let recipe = try Recipe.read(url).recipe
    try require(
      Recipe.read(yaml: recipe.yaml(), file: "again") == recipe, "a recipe that is written is read as another")
    let resolved = try Composer(catalog).resolve(recipe)
    try require(Composer(catalog).resolve(resolved) == resolved, "a resolved recipe is resolved to another")
  },
  Reader("manifest", file: "manifest.yaml") {
    files(in: ["Tests/ForeignPartsTests/Fixtures"]).filter { $0.url.pathExtension == "yaml" }.map { Original($0.bytes) }
  } read: { url, _ in
    // Reading loads nothing.
    let manifest = try ForeignManifest(url.path)
    try require(
      Slot.all.contains { !manifest.names(in: $0).isEmpty }, "took a manifest without parts")
  },
  Reader("experiment", file: "experiment.yaml") {
    try ofPlugins("experiments").map { Original([UInt8](try Data(contentsOf: $0))) }
  } read: { url, _ in
    let experiment = try Experiment(url)
    try require(!experiment.rows.isEmpty && !experiment.plan.seeds.isEmpty, "took an experiment without rows or seeds")
    try require(experiment.plan.folds ?? 2 >= 2, "took \(experiment.plan.folds ?? 0) folds")
  },
]

// MARK: Files of runs

private let measured =
  #"[{"name":"accuracy","unit":"%","value":34.5},{"name":"silhouette","unit":"","missing":"one class"}]"#
private let epoch =
  #"{"epoch":1,"examplesPerSecond":42.5,"iteration":5,"metrics":\#(measured),"learningRates":[0.01],"seconds":0.94,"#
  + #""stage":"main","training":{"mse":0.8,"total":"nan"},"validation":{"mse":0.6,"total":0.6}}"#
private let stage =
  #"{"stage":"dense","index":0,"layers":[{"name":"encoder.hidden.0.weight","count":6,"zeros":0.5,"rows":2,"zeroRows":1,"#
  + #""columns":3,"zeroColumns":1}],"before":\#(measured),"after":[],"inputSize":3,"features":[{"index":1,"weight":0.5}]}"#
private let summary =
  #"{"about":"a","data":"mnist","dataOrigin":"embedded","device":"cpu","epochs":2,"libtorch":"2","name":"vae","sampler":[],"#
  + #""seconds":0.01,"seed":0,"testExamples":10,"testLosses":{"bce":461.3,"total":"inf"},"testMetrics":\#(measured),"#
  + #""threads":1,"trainingExamples":40,"validationExamples":5,"warnings":[],"weights":6,"stages":[\#(stage)]}"#
private let position =
  #"{"counts":{"mse":3},"epoch":1,"extraBatches":0,"isFinished":false,"iteration":3,"metricsLength":664,"seconds":0.5,"#
  + #""stage":0,"sums":{"mse":1.5},"totalIterations":8}"#
private let machine = #"{"device":"cpu","libtorch":"2.13.0","threads":1}"#
private let header =
  #"{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"I64","shape":[1],"data_offsets":[16,24]},"#
  + #""c":{"dtype":"BOOL","shape":[4],"data_offsets":[24,28]},"d":{"dtype":"U8","shape":[4],"data_offsets":[28,32]}"#
private let data = floats([1, 2, 3, 4]) + littleEndian(7, bytes: 8) + [0, 1, 1, 0, 1, 2, 3, 4]

private let runFiles: [Reader] = [
  Reader("safetensors", file: "latents.safetensors") {
    [Original([Array((header + "}").utf8), data]) { safetensors(header: $0[0], $0[1]) }] + found("safetensors")
  } read: { url, _ in
    let (tensors, metadata) = try Safetensors.read(url)
    let again = url.deletingLastPathComponent().appendingPathComponent("again.safetensors")
    try Safetensors.write(tensors, metadata: metadata, to: again)
    let copy = try Safetensors.read(again).tensors
    try require(copy.mapValues(\.shape) == tensors.mapValues(\.shape), "a file that is written is read as another")
    for tensor in tensors.values where tensor.dtype == .bool {
      try require(tensor.bytes().allSatisfy { $0 < 2 }, "took a bool that is neither 0 nor 1")
    }
  },
  Reader("checkpoint", file: "last.safetensors") {
    [
      Original([Array(position.utf8), Array(machine.utf8), data]) { pieces in
        let metadata =
          #""__metadata__":{"format":"latentkit-checkpoint-1","machine":\#(quoted(pieces[1])),"position":\#(quoted(pieces[0]))}"#
        return safetensors(header: Array((header + "," + metadata + "}").utf8), pieces[2])
      }
    ]
  } read: { url, _ in
    let place = try Checkpoint.read(url).position
    let counts = [
      place.stage, place.epoch, place.iteration, place.totalIterations, place.extraBatches, place.metricsLength,
    ]
    try require((counts + place.counts.values).allSatisfy { $0 >= 0 }, "took a negative count: \(place)")
    try require(place.seconds.isFinite && place.seconds >= 0, "took \(place.seconds) seconds")
    try require(
      place.counts.keys.sorted() == place.sums.keys.sorted(), "took sums and counts of different terms: \(place)")
  },
  Reader("metrics", file: "metrics.jsonl") {
    [Original([Array(epoch.utf8), Array(epoch.utf8)]) { $0[0] + [0x0a] + $0[1] + [0x0a] }]
  } read: { url, _ in
    let records = try MetricsLog.read(url)
    try require(
      records.allSatisfy { $0.epoch >= 0 && $0.iteration >= 0 && $0.seconds >= 0 },
      "took impossible numbers of an epoch")
  },
  Reader("stages", file: "stages.jsonl") {
    [Original(stage + "\n" + stage + "\n")]
  } read: { url, _ in
    try require(
      StageLog.read(url).allSatisfy { $0.index >= 0 && $0.inputSize >= 0 }, "took impossible numbers of a stage")
  },
  Reader("summary", file: "summary.json") {
    [Original(summary)]
  } read: { url, _ in
    _ = try RunSummary.read(url)
  },
  Reader("repeats", file: "study.json") {
    [Original(#"{"folds":5,"seeds":[1,2,3]}"#)]
  } read: { url, _ in
    let repeats = try Repeats.read(RunFolder(url.deletingLastPathComponent()))
    try require(repeats?.folds ?? 2 >= 2, "took \(repeats?.folds ?? 0) folds")
    try require(repeats?.seeds?.allSatisfy { $0 >= 0 } ?? true, "took a negative seed")
  },
  Reader("events", file: "events.out.tfevents.0.latentkit") {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(
      "events-\(ProcessInfo.processInfo.processIdentifier)")
    defer { try? FileManager.default.removeItem(at: url) }
    let file = try EventFile(url) { 1_700_000_000 }
    for step in 0..<4 { file.scalar("loss", 0.5, step: step) }
    file.image("image", png: Data([1, 2, 3]), width: 1, height: 1, step: 4)
    try file.close()
    return [Original([UInt8](try Data(contentsOf: url)))]
  } read: { url, noise in
    let file = try EventFile(url, keepingSteps: noise.oneIn(2) ? nil : noise.below(5)) { 1_700_000_000 }
    file.scalar("loss", 1, step: 5)
    try file.close()
    let length = try Data(contentsOf: url).count
    try EventFile(url).close()
    try require(Data(contentsOf: url).count == length, "cut off what it had written itself")
  },
]
