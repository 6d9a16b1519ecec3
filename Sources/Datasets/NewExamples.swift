import Files
import Foundation
import LatentKit

/// Rows or images of other files than a data set's, in its form: with or without labels, which may be of any class.
public struct NewExamples: Sendable {
  /// As `Examples.inputs`.
  public let inputs: Tensor
  /// The label of each as the file has it; nil for a file without labels.
  public let labels: [String]?
  /// The id of each: the name of a sample, or of a picture's file; nil for a file without ids.
  public let ids: [String]?

  /// Reads a file of rows, or pictures: one file, an `.npz` archive, or a folder of them, with a folder for each class or not.
  ///
  /// Columns are found by their names and put into the data set's order; what else is in the file is left aside.
  ///
  /// - Parameters:
  ///   - url: The file or folder.
  ///   - dataset: What the examples are to be like.
  ///   - entry: Its entry, and `values` its settings in the recipe: files are read as they were for it.
  /// - Throws: `FileError` where the file lacks a column, or a picture has another size.
  public init(
    contentsOf url: URL, like dataset: Dataset, of entry: DatasetEntry, _ values: [String: Value]
  ) throws {
    guard FileManager.default.fileExists(atPath: url.path) else {
      throw FileError(
        url.path, "there is no such file or folder; name one with examples like those of '\(dataset.name)'")
    }
    self =
      try dataset.train.areImages
      ? NewExamples(imagesOf: url, like: dataset, entry, values)
      : NewExamples(rowsOf: url, like: dataset, entry, values)
  }

  private init(_ inputs: Tensor, _ labels: [String]?, _ ids: [String]?) {
    (self.inputs, self.labels, self.ids) = (inputs, labels, ids)
  }

  // MARK: Rows

  private init(rowsOf url: URL, like dataset: Dataset, _ entry: DatasetEntry, _ values: [String: Value]) throws {
    let settings = try entry.sharedSettings(values)
    var format = entry.published?.table ?? settings.tableFormat
    (format.missing, format.unpackLimit) = (settings.missing, settings.unpackLimit)
    guard let names = dataset.featureNames else {
      throw FileError(
        url.path,
        "cannot be matched with '\(dataset.name)', whose columns have no names; use data with names of columns")
    }
    (format.features, format.drop) = (names, [])
    format.classes = dataset.classNames ?? []
    if format.id == nil { format.id = dataset.idColumn.map { .name($0) } }
    format.labelFile = settings.labelFile.map(URL.init(fileURLWithPath:))
    let table = try DataTable.labelled(contentsOf: url, format).table
    self.init(table.inputs, table.labels, table.ids)
  }

  // MARK: Images

  private init(imagesOf url: URL, like dataset: Dataset, _ entry: DatasetEntry, _ values: [String: Value]) throws {
    let shape = dataset.inputShape
    let own =
      entry.name == DatasetLibrary.imagesName
      ? try ImageSettings(values.filter { name, _ in DataSettingGroup.group(of: name) == nil }, at: "data.with")
      : ImageSettings()
    var fit = try own.imageFit(at: "data.with")
    fit.colours = shape[0] == 3 ? .rgb : .grey
    let found: Dataset
    if OutputPlace(url, followsLinks: true) == .folder {
      found = try ImageFolders(classesOf: url).dataset(fit, pixels: own.megapixels * 1_000_000, damaged: own.damaged)
    } else if ["png", "jpg", "jpeg"].contains(url.pathExtension.lowercased()) {
      let list = try ImageList(
        [ImageList.Item(url: url, label: nil)], fit, pixels: own.megapixels * 1_000_000, damaged: .refuse)
      var pictures = list
      let examples = try pictures.takeExamples(channels: shape[0])
      try NewExamples.require(examples.inputShape, shape, of: url, dataset.name)
      self.init(examples.inputs, nil, [url.lastPathComponent])
      return
    } else {
      let limit = UnpackLimit(mebibytes: try entry.sharedSettings(values).unpackLimit)
      found = try ImageArchive(contentsOf: url, limit: limit).dataset(fit)
    }
    try NewExamples.require(found.inputShape, shape, of: url, dataset.name)
    let parts = [found.train, found.validation, found.test].compactMap { $0 }
    let labels = try parts.map { try $0.labels?.ints() ?? [] }.joined()
    self.init(
      try .concatenate(parts.map(\.inputs)), found.classNames.map { names in labels.map { names[$0] } }, found.ids)
  }

  private static func require(_ found: [Int], _ expected: [Int], of url: URL, _ name: String) throws {
    guard found != expected else { return }
    throw FileError(
      url.path,
      "has pictures of \(found[2]) x \(found[1]), and the model takes \(expected[2]) x \(expected[1]) as '\(name)' has; scale them, "
        + "or train with data.size on a folder of pictures, which scales new ones alike")
  }
}
