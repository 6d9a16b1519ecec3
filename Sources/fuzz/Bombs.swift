import Foundation

/// A file that grows with a number, of a kind that once took a reader hours or all memory. Twice the number may take at
/// most three times the time.
struct Bomb: Sendable {
  let name: String
  /// The name of what reads it.
  let reader: String
  /// The smaller of the two numbers that are compared, at scale 1.
  let size: Int
  let make: @Sendable (Int) -> [UInt8]

  init(_ name: String, _ reader: String, _ size: Int, _ make: @escaping @Sendable (Int) -> [UInt8]) {
    (self.name, self.reader, self.size, self.make) = (name, reader, size, make)
  }

  /// One of text.
  init(_ name: String, _ reader: String, _ size: Int, text: @escaping @Sendable (Int) -> String) {
    self.init(name, reader, size) { Array(text($0).utf8) }
  }
}

private func list(_ count: Int, _ separator: String = ",", _ item: (Int) -> String) -> String {
  (0..<count).map(item).joined(separator: separator)
}

private func times(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }

/// A gzip file of `count` members of a MiB each, which are packed once.
private func gzip(mebibytes count: Int, of text: String) -> [UInt8] {
  Array(repeatElement(gzip(Array(times(text, (1 << 20) / text.utf8.count).utf8)), count: count).joined())
}

private func mebibytesOfZeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count << 20) }

/// Every one; a new one is an element.
let allBombs: [Bomb] = [
  // Packed: 1 MiB on the disk is 1 GiB in memory.
  Bomb("csv.gz that unpacks to more than the limit", "gzip", 300) { gzip(mebibytes: $0, of: "0,0,0,0\n") },
  Bomb("csv.gz of many cells", "gzip", 1) { gzip(mebibytes: $0, of: "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n") },
  Bomb("csv.gz of empty cells in one row", "gzip", 1) { gzip(mebibytes: $0, of: ",,,,,,,,") },
  Bomb("idx.gz of zeros", "idx", 600) { count in
    let member = gzip(mebibytesOfZeros(1))
    return gzip(bigEndian([2051, count, 1024, 1024])) + Array(repeatElement(member, count: count).joined())
  },
  Bomb("npz that unpacks to more than the limit", "npz", 300) { count in
    let x = npy(header: Array(npyHeader("|u1", "(\(count << 10), 1024)").utf8), mebibytesOfZeros(count))
    return zip(
      [("x.npy", x), ("y.npy", npy("|u1", "(1,)", [0]).assemble([Array(npyHeader("|u1", "(1,)").utf8), [0]]))],
      packed: true)
  },
  Bomb("npz of many arrays", "npz", 2_000) { count in
    zip((0..<count).map { ("a\($0).npy", npy(header: Array(npyHeader("|u1", "(1, 1)").utf8), [0])) }, packed: false)
  },
  // Headers.
  Bomb("npy header of repeated keys", "npy", 4_000) {
    npy(header: Array(("{" + times("'descr': '<f4', ", $0) + "}").utf8), [])
  },
  Bomb("npy header of an unending shape", "npy", 20_000) {
    npy(header: Array(npyHeader("<f4", "(" + times("1, ", $0) + ")").utf8), floats([1]))
  },
  Bomb("npy header of spaces", "npy", 200_000) { npy(header: Array(("{'descr': " + times(" ", $0)).utf8), []) },
  Bomb("safetensors header of many tensors", "safetensors", 2_000) { count in
    safetensors(
      header: Array(
        ("{" + list(count) { #""t\#($0)":{"dtype":"U8","shape":[1],"data_offsets":[\#($0),\#($0 + 1)]}"# } + "}").utf8),
      [UInt8](repeating: 0, count: count))
  },
  Bomb("safetensors header of nested lists", "safetensors", 50_000) {
    safetensors(header: Array((#"{"a":"# + times("[", $0)).utf8), [])
  },
  // Text tables.
  Bomb("csv of one line", "csv", 1_000_000, text: { times("7", $0) }),
  Bomb("csv of one row", "csv", 100_000, text: { list($0) { "\($0)" } }),
  Bomb(
    "csv of many names", "csv", 20_000, text: { count in list(count) { "n\($0)" } + "\n" + list(count) { "\($0)" } }),
  Bomb("csv of many rows", "csv", 20_000, text: { list($0, "\n") { "\($0),1,x" } }),
  Bomb("csv of many classes", "csv", 10_000, text: { "a,class\n" + list($0, "\n") { "1,c\($0)" } }),
  Bomb("csv of quotes", "csv", 500_000, text: { "a,b\n\"" + times("\"\"", $0) }),
  Bomb("csv of empty lines", "csv", 500_000, text: { times("\n", $0) }),
  Bomb(
    "csv of samples in columns", "csv", 2_000,
    text: { count in list(50, "\n") { row in list(count) { "\($0 + row)" } } }),
  // YAML.
  Bomb(
    "recipe of aliases of aliases", "recipe", 12,
    text: { count in
      "a0: &a0 [x, x, x, x, x, x, x, x]\n"
        + list(count, "\n") { "a\($0 + 1): &a\($0 + 1) [" + times("*a\($0), ", 8) + "x]" }
    }),
  Bomb(
    "recipe of aliases as keys", "recipe", 12,
    text: { count in
      "a0: &a0 [x, x]\n" + list(count, "\n") { "a\($0 + 1): &a\($0 + 1) {? [*a\($0), *a\($0)] : 1, ? *a\($0) : 2}" }
        + "\n? *a\(count)\n: 1\n"
    }),
  Bomb("recipe of keys", "recipe", 20_000, text: { list($0, "\n") { "key\($0): 1" } }),
  Bomb(
    "recipe of settings", "recipe", 20_000, text: { "encoder: {use: mlp, with: {" + list($0) { " k\($0): 1" } + "}}" }),
  Bomb(
    "recipe of metrics", "recipe", 5_000,
    text: { "data: mnist\nencoder: mlp\nmetrics: [" + times("accuracy, ", $0) + "]" }),
  Bomb(
    "recipe of losses", "recipe", 1_000,
    text: {
      "data: mnist\nencoder: mlp\nstages: [{epochs: 1, batch: 1, train: [encoder], optimizer: adam, losses: ["
        + times("mse, ", $0) + "]}]"
    }),
  Bomb(
    "recipe of stages", "recipe", 200,
    text: {
      "data: mnist\nencoder: mlp\nstages:\n"
        + list($0, "\n") { "  - {name: s\($0), epochs: 1, batch: 1, train: [encoder], optimizer: adam, losses: [mse]}" }
    }),
  Bomb("recipe of nested lists", "recipe", 20_000, text: { "a: " + times("[", $0) }),
  Bomb("recipe of nested mappings", "recipe", 300, text: { list($0, "\n") { times(" ", $0) + "a:" } }),
  Bomb("recipe of one long name", "recipe", 200_000, text: { "encoder: " + times("m", $0) }),
  Bomb(
    "experiment of seeds", "experiment", 5_000,
    text: { "rows: [{row: a, recipe: a.yaml}]\nseeds: [" + list($0) { " \($0)" } + "]" }),
  Bomb(
    "experiment of rows", "experiment", 500,
    text: { "rows:\n" + list($0, "\n") { "  - {row: a\($0), recipe: a.yaml}" } }),
  // JSON.
  Bomb(
    "metrics of many epochs", "metrics", 500,
    text: { count in
      list(count, "\n") {
        #"{"epoch":\#($0),"examplesPerSecond":1,"iteration":5,"metrics":[],"learningRates":[],"seconds":1,"stage":"a","training":{},"validation":{}}"#
      }
    }),
  Bomb("metrics of nested lists", "metrics", 50_000, text: { #"{"epoch":"# + times("[", $0) }),
  Bomb("metrics of one long line", "metrics", 500_000, text: { #"{"stage":""# + times("a", $0) }),
  Bomb("summary of many warnings", "summary", 20_000, text: { #"{"warnings":["# + list($0) { "\"w\($0)\"" } + "]}" }),
  Bomb("study of seeds", "repeats", 20_000, text: { #"{"seeds":["# + list($0) { "\($0)" } + "]}" }),
]
