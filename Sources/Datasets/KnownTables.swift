import Files
import Foundation
import LatentKit

extension DatasetDescription {
  // Barlaud & Guyard 2021 and the metabolomic studies of the same group.
  static let tables = [
    table(
      "olsson", "Olsson", "single-cell RNA of blood progenitors, 9 cell types (Olsson et al. 2016)",
      licence: "CC BY-NC 4.0", features: 532, samples: 382,
      classNames: ["Eryth", "Gran", "HSPC-1", "HSPC-2", "MDP", "Meg", "Mono", "Multi-Lin", "Myelocyte"],
      File(name: "Olsson.csv", checksum: .md5("2fead2587db5dcebfff8a67c8af274fc"), byteCount: 1_581_635),
      rows("labels"),
      publisher: "the authors of the sparse supervised autoencoder, github.com/MichelBarlaud"),
    table(
      "breast", "Breast", "metabolites of breast cancer, oestrogen receptor negative and positive", licence: "MIT",
      features: 162, samples: 271, classNames: ["1", "2"],
      File(
        name: "GC_Breast_D_MB.csv", checksum: .md5("fd0ac190157c934695212888eaaf12ea"), byteCount: 528_206,
        otherNames: ["GC_Brest_D_MB.csv"]), columns(.point),
      mirrors: [
        "https://raw.githubusercontent.com/CyprienGille/Supervised-Autoencoder/d13a25beca2172d87ecbaa5ee0dfee0f51b2f024/datas/GC_Brest_D_MB.csv"
      ]),
    table(
      "lung", "Lung", "urine metabolites, lung cancer and controls (Mathé et al. 2014)",
      licence: "EMBL-EBI terms of use",
      features: 2944, samples: 1005, classNames: ["1", "2"], File(name: "LUNG.csv", checksum: nil, byteCount: nil),
      columns(.comma),
      publisher: "MetaboLights, https://www.ebi.ac.uk/metabolights/MTBLS28, as a table with samples in columns,"),
  ]

  private static func rows(_ label: String) -> TableFormat {
    var format = TableFormat()
    (format.separator, format.header, format.label) = (.comma, true, .name(label))
    return format
  }

  private static func columns(_ decimal: TableFormat.Decimal) -> TableFormat {
    var format = TableFormat()
    (format.separator, format.decimal, format.samples) = (.semicolon, decimal, .columns)
    (format.header, format.label) = (true, .name("Label"))
    return format
  }

  private static func table(
    _ name: String, _ title: String, _ summary: String, licence: String, features: Int, samples: Int,
    classNames: [String], _ file: File, _ format: TableFormat, mirrors: [String] = [],
    publisher: String = "its publisher"
  ) -> DatasetDescription {
    DatasetDescription(
      name: name, title: title, summary: summary, licence: licence, inputShape: [features], classNames: classNames,
      trainCount: samples, testCount: 0, files: [file], folder: name, mirrors: mirrors, archiveChecksum: nil,
      isEmbedded: false, isTransposed: false, firstLabel: 0, table: format, publisher: publisher)
  }
}

extension DatasetLibrary {
  /// Reads a published table from its file.
  static func readTable(_ description: DatasetDescription, _ url: URL, _ format: TableFormat) throws -> Dataset {
    try .table(description.name, title: description.title, from: url, format)
  }

  /// Reads the file that the settings name.
  static func readTable(_ request: DataRequest) throws -> Dataset {
    guard let file = request.settings.path, !file.isEmpty else {
      throw ConfigError(
        path: "\(request.path).path", "found nothing, expected the file of the table, as in data.path=x.csv")
    }
    let found = request.place(of: file)
    var format = request.settings.tableFormat
    format.labelFile = request.settings.labelFile.map { request.place(of: $0) }
    return try .table(tableName, title: found.lastPathComponent, from: found, format)
  }
}

extension DataRequest {
  /// Returns the place of a file or folder that a setting names: as seen from here, else from the data folder. What has moved since a
  /// recipe was written is found by its own name in the data folder that the caller names.
  ///
  /// - Parameter isFolder: Whether the data folder itself may be it, by its name.
  func place(of path: String, isFolder: Bool = false) -> URL {
    let place = URL(fileURLWithPath: path)
    var places = [place] + (dataFolder.map { [$0.appendingPathComponent(path)] } ?? [])
    if let folder {
      places.append(folder.appendingPathComponent(place.lastPathComponent))
      if isFolder, folder.lastPathComponent == place.lastPathComponent { places.append(folder) }
    }
    return places.first { FileManager.default.fileExists(atPath: $0.path) } ?? place
  }
}

extension Dataset {
  /// Reads a table of numbers: delimited text, `.npy` or `.npz`, also gzip, or `.h5ad`. All its samples are training examples.
  ///
  /// - Parameters:
  ///   - name: The name of the set.
  ///   - title: Its name in sentences.
  ///   - url: The file.
  ///   - format: How it is written; what is not said is found in the file.
  /// - Throws: `FileError` with the place of a fault in the file, and for labels that are no classes.
  public static func table(
    _ name: String, title: String, from url: URL, _ format: TableFormat = TableFormat()
  ) throws -> Dataset {
    let (table, digest) = try DataTable.labelled(contentsOf: url, format)
    let (examples, classNames) = try table.examples(from: url.path)
    // Measurements or the samples' names: one class per sample cannot be learned.
    if let classNames, classNames.count > examples.count / 2, let first = classNames.first {
      throw FileError(
        url.path,
        "has \(classNames.count) different labels for \(examples.count) samples, such as '\(first)', expected classes of "
          + "several samples; name another column by data.label, or set data.label=none")
    }
    var dataset = try Dataset(
      name: name, title: title, train: examples, test: nil, classNames: classNames, featureNames: table.featureNames,
      ids: table.ids, digest: digest, origin: .files([url] + [format.labelFile].compactMap { $0 }))
    let remarks = [table.remark, dataset.remarkOnIDs, try dataset.remarkOnClasses()].compactMap { $0 }
    dataset.remark = remarks.isEmpty ? nil : remarks.joined(separator: "; ")
    dataset.idColumn = table.idColumn
    return dataset
  }

  /// A sentence on a class whose name stands for a missing value elsewhere; nil where there is none.
  private func remarkOnClasses() throws -> String? {
    guard let classNames, let place = classNames.firstIndex(where: isWordForMissing) else { return nil }
    let count = try train.labels.map { try ($0 .== Double(place)).to(.int64).sum().ints()[0] } ?? 0
    return
      "'\(classNames[place])' is taken for a class, of \(grouped(count)) samples; if their labels are missing, leave these rows out"
  }

  /// A sentence on ids that name several rows, which may come to lie in different parts; nil where all differ.
  private var remarkOnIDs: String? {
    guard let ids else { return nil }
    let different = Set(ids).count
    guard different < ids.count else { return nil }
    return
      "\(grouped(ids.count)) rows have \(grouped(different)) ids, and rows of one id may come to lie in training and in test; a file "
      + "of ids and parts keeps them together (data.splitFile)"
  }
}
