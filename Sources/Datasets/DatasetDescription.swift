import Files
import Foundation

/// A published data set before it is loaded.
public struct DatasetDescription: Sendable {
  /// One of the files of a set: four for images, one for a table.
  public struct File: Sendable, Equatable {
    /// The published name: `train-images-idx3-ubyte.gz`. The file without `.gz`, unpacked, is as good.
    public let name: String
    /// The published checksum and length, where they are known.
    public let checksum: Checksum?
    /// The size of the file as published; nil where it varies.
    public let byteCount: Int?
    /// Under what else it may lie in a data folder.
    var otherNames: [String] = []
    /// Whether a set without any such file is a smaller one.
    var isOptional = false

    /// The names to search for, the published one first.
    var names: [String] { [name] + (name.hasSuffix(".gz") ? [String(name.dropLast(3))] : []) + otherNames }
  }

  /// The name that recipes use.
  public let name: String
  /// The name for people.
  public let title: String
  /// Its content, in one line.
  public let summary: String
  /// The licence of the data.
  public let licence: String
  /// `[channels, height, width]`, or `[features]` for a table.
  public let inputShape: [Int]
  /// The names of the classes, in the order of their labels.
  public let classNames: [String]
  /// The number of training examples as published.
  public let trainCount: Int
  /// 0 for a table, whose test part is cut out of its samples.
  public let testCount: Int
  /// Training images, training labels, test images, test labels; or the table.
  public let files: [File]
  /// The folder under a data folder in which `host data fetch` puts the files.
  public let folder: String
  /// The public addresses of the files: one folder per mirror, or the address of the table itself.
  public let mirrors: [String]
  /// For sets that are published as one ZIP archive, its checksum; `mirrors` then name the archive itself.
  public let archiveChecksum: Checksum?
  /// Whether a small part ships with the package.
  public let isEmbedded: Bool
  /// Whether images are stored column by column.
  let isTransposed: Bool
  /// The label of the first class in the files.
  let firstLabel: Int
  /// The format of the file, where the set is a table.
  var table: TableFormat?
  /// How the files are read where they are neither IDX nor a table.
  var own: (any PublishedImages.Type)?
  /// The format of the archive, where the set is published as one.
  var archiveKind = ArchiveKind.zip
  /// The number of images of the validation part as published.
  var validationCount = 0
  /// Who to ask where no address is known.
  var publisher = "its publisher"

  /// The number of classes.
  public var classCount: Int { classNames.count }

  /// Its size as published: `4,100 + 2,307 examples, and 2,264 for validation, of 1x28x28, 101 classes`.
  public var size: String {
    let shape = inputShape.map(String.init).joined(separator: "x")
    let test = testCount > 0 ? " + \(grouped(testCount))" : ""
    let validation = validationCount > 0 ? ", and \(grouped(validationCount)) for validation," : ""
    return "\(grouped(trainCount))\(test) examples\(validation) of \(shape), \(classCount) classes"
  }

  /// The place to get the files by hand.
  public var source: String { mirrors.first ?? publisher }
}

extension DatasetDescription {
  /// The set as recipes name it.
  public var entry: DatasetEntry {
    if let own { return entry(own) }
    return DatasetEntry(
      name, summary, table == nil ? .images : .rows, groups: table == nil ? [.embedded] : [.tables, .unpacking],
      published: self
    ) { try DatasetLibrary.load(self, $0) }
  }

  private func entry<Own: PublishedImages>(_ own: Own.Type) -> DatasetEntry {
    DatasetEntry(name, summary, .images, own: own, groups: [], published: self) { settings, request in
      try settings.dataset(self, DatasetLibrary.locate(self, in: request.folder, request.environment))
    }
  }

  static let all: [DatasetDescription] = [mnist, fashionMNIST] + emnist + images + tables

  private static let digits = (0...9).map(String.init)
  private static let capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ".map(String.init)

  private static let mnist = DatasetDescription(
    name: "mnist", title: "MNIST", summary: "handwritten digits, 28x28 grey (LeCun, Cortes & Burges 1998)",
    licence: "CC BY-SA 3.0", inputShape: [1, 28, 28], classNames: digits, trainCount: 60_000, testCount: 10_000,
    files: [
      File(
        name: "train-images-idx3-ubyte.gz", checksum: .md5("f68b3c2dcbeaaa9fbdd348bbdeb94873"), byteCount: 9_912_422),
      File(name: "train-labels-idx1-ubyte.gz", checksum: .md5("d53e105ee54ea40749a09fcbcd1e9432"), byteCount: 28_881),
      File(name: "t10k-images-idx3-ubyte.gz", checksum: .md5("9fb629c4189551a2d022fa330f9573f3"), byteCount: 1_648_877),
      File(name: "t10k-labels-idx1-ubyte.gz", checksum: .md5("ec29112dd5afa0611ce80d1b7f02629c"), byteCount: 4_542),
    ],
    folder: "mnist",
    mirrors: [
      "https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ],
    archiveChecksum: nil, isEmbedded: true, isTransposed: false, firstLabel: 0)

  private static let fashionMNIST = DatasetDescription(
    name: "fashion-mnist", title: "Fashion-MNIST", summary: "garments, 28x28 grey (Xiao, Rasul & Vollgraf 2017)",
    licence: "MIT", inputShape: [1, 28, 28],
    classNames: [
      "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ],
    trainCount: 60_000, testCount: 10_000,
    files: [
      File(
        name: "train-images-idx3-ubyte.gz", checksum: .md5("8d4fb7e6c68d591d4c3dfef9ec88bf0d"), byteCount: 26_421_880),
      File(name: "train-labels-idx1-ubyte.gz", checksum: .md5("25c81989df183df01b3e8a0aad5dffbe"), byteCount: 29_515),
      File(name: "t10k-images-idx3-ubyte.gz", checksum: .md5("bef4ecab320f06d8554ea6380940ec79"), byteCount: 4_422_102),
      File(name: "t10k-labels-idx1-ubyte.gz", checksum: .md5("bb300cfdad3c16e7a12a480ee83cd310"), byteCount: 5_148),
    ],
    folder: "fashion-mnist", mirrors: ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"],
    archiveChecksum: nil, isEmbedded: true, isTransposed: false, firstLabel: 0)

  // Cohen, Afshar, Tapson & van Schaik 2017. Upper and lower case that look alike share a class in `merged`.
  private static let merged = digits + capitals + "abdefghnqrt".map(String.init)
  private static let emnist = [
    emnist("letters", "letters, cases merged", capitals, 124_800, 20_800, firstLabel: 1),
    emnist("balanced", "digits and letters, as many of each", merged, 112_800, 18_800),
    emnist("digits", "digits", digits, 240_000, 40_000),
    emnist("mnist", "digits of MNIST, cut anew", digits, 60_000, 10_000),
    emnist("bymerge", "digits and letters, alike cases merged", merged, 697_932, 116_323),
    emnist(
      "byclass", "digits and letters of both cases", digits + capitals + capitals.map { $0.lowercased() }, 697_932,
      116_323),
  ]

  private static func emnist(
    _ split: String, _ what: String, _ classNames: [String], _ trainCount: Int, _ testCount: Int, firstLabel: Int = 0
  ) -> DatasetDescription {
    DatasetDescription(
      name: "emnist-\(split)", title: "EMNIST \(split)",
      summary: "handwritten \(what), 28x28 grey (Cohen, Afshar, Tapson & van Schaik 2017)",
      licence: "none stated by its publisher, NIST", inputShape: [1, 28, 28], classNames: classNames,
      trainCount: trainCount, testCount: testCount,
      files: ["train-images-idx3", "train-labels-idx1", "test-images-idx3", "test-labels-idx1"].map {
        File(name: "emnist-\(split)-\($0)-ubyte.gz", checksum: nil, byteCount: nil)
      },
      folder: "emnist", mirrors: ["https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"],
      archiveChecksum: .md5("58c8d27c78d21e728a6bc7b3cc06412e"), isEmbedded: false, isTransposed: true,
      firstLabel: firstLabel)
  }
}
