import Files
import Foundation
import LatentKit

/// How a published set of images is read whose files are not IDX: the settings that are its own, and its reader.
protocol PublishedImages: ComponentConfig {
  /// Reads the set from its files, in the description's order.
  /// - Throws: `FileError` for a file that is damaged, or is not one of this set.
  func dataset(_ description: DatasetDescription, _ files: [URL]) throws -> Dataset
}

extension DatasetDescription {
  /// The format of an archive that a set is published as; the value is the ending of its name.
  enum ArchiveKind: String, Sendable {
    case zip
    case tar = "tar.gz"
  }

  // Checksums: that of the silhouettes was compared with a copy here. Those of Omniglot's and CIFAR-10's archives are as
  // their publishers and torchvision print them.
  static let images = [
    DatasetDescription(
      name: "cifar10", title: "CIFAR-10", summary: "photographs of 10 kinds, 32x32 colour (Krizhevsky 2009)",
      licence: "none stated", inputShape: [3, 32, 32],
      classNames: ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
      trainCount: 50_000, testCount: 10_000,
      files: [
        cifarFile("data_batch_1.bin"), cifarFile("data_batch_2.bin", isOptional: true),
        cifarFile("data_batch_3.bin", isOptional: true), cifarFile("data_batch_4.bin", isOptional: true),
        cifarFile("data_batch_5.bin", isOptional: true), cifarFile("test_batch.bin"),
      ],
      folder: "cifar10", mirrors: ["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"],
      archiveChecksum: .md5("c32a1d4ab5d03f1284b67883e8d87530"), isEmbedded: false, isTransposed: false, firstLabel: 0,
      own: CIFARFiles.self, archiveKind: .tar),
    DatasetDescription(
      name: "caltech101-silhouettes", title: "Caltech 101 Silhouettes",
      summary: "outlines of objects of 101 kinds, 28x28 black and white (Marlin, Swersky, Chen & de Freitas 2010)",
      licence: "none stated", inputShape: [1, 28, 28], classNames: SilhouetteFiles.classNames, trainCount: 4_100,
      testCount: 2_307,
      files: [
        File(
          name: "caltech101_silhouettes_28_split1.mat", checksum: .md5("4483e9c14b188fd09937f9ea6f9ea777"),
          byteCount: 872_124)
      ],
      folder: "caltech101-silhouettes", mirrors: ["https://people.cs.umass.edu/~marlin/data/"], archiveChecksum: nil,
      isEmbedded: false, isTransposed: false, firstLabel: 0, own: SilhouetteFiles.self, validationCount: 2_264),
    DatasetDescription(
      name: "omniglot", title: "Omniglot-28 (derived)",
      summary:
        "characters of 50 alphabets by 20 drawers, 105x105, made 28x28 grey by area averaging (Lake, Salakhutdinov & Tenenbaum 2015)",
      licence: "MIT", inputShape: [1, 28, 28], classNames: OmniglotAlphabets.names, trainCount: 24_345,
      testCount: 8_115,
      files: [
        File(
          name: "images_background.zip", checksum: .md5("68d2efa1b9178cc56df9314c21c6e718"), byteCount: nil,
          otherNames: ["images_background.npz"]),
        File(
          name: "images_evaluation.zip", checksum: .md5("6b91aef0f799c5bb55b94e3f2daec811"), byteCount: nil,
          otherNames: ["images_evaluation.npz"]),
      ],
      folder: "omniglot", mirrors: ["https://raw.githubusercontent.com/brendenlake/omniglot/master/python/"],
      archiveChecksum: nil, isEmbedded: false, isTransposed: false, firstLabel: 0, own: OmniglotFiles.self),
    DatasetDescription(
      name: "omniglot-chardata", title: "Omniglot-28",
      summary: "characters of 50 alphabets, 28x28 grey, as cut by Burda, Grosse & Salakhutdinov 2016",
      licence: "MIT (Omniglot)", inputShape: [1, 28, 28], classNames: (1...50).map { "alphabet \($0)" },
      trainCount: 24_345, testCount: 8_070, files: [File(name: "chardata.mat", checksum: nil, byteCount: nil)],
      folder: "omniglot-chardata", mirrors: ["https://raw.githubusercontent.com/yburda/iwae/master/datasets/OMNIGLOT/"],
      archiveChecksum: nil, isEmbedded: false, isTransposed: false, firstLabel: 0, own: CharacterData.self),
  ]

  private static func cifarFile(_ name: String, isOptional: Bool = false) -> File {
    File(name: name, checksum: nil, byteCount: nil, otherNames: ["\(name).gz"], isOptional: isOptional)
  }
}
