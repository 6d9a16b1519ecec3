import LatentKit

/// Settings that data share, under `data.with`.
public struct DataSettings: ComponentConfig {
  /// The range that the bytes 0 to 255 are scaled to.
  public enum Range: String, Choice {
    case unit, symmetric

    /// The least and the greatest value.
    public var bounds: ClosedRange<Double> { self == .unit ? 0...1 : -1...1 }
  }

  @Setting("Pixels added on each side of an image, with the value of byte 0.", .within(0...1024))
  public var pad = 0
  @Setting(
    "Where pad is unset: images are padded alike on all sides until height and width are multiples of this, if they can be.",
    .within(1...1024))
  public var padTo = 1
  @Setting("Range that bytes are scaled to: 'unit' for 0 to 1, 'symmetric' for -1 to 1.")
  public var range = Range.unit
  @Setting("Share of the training part that is held out, from every class alike; 0 for none.", .within(0..<1))
  public var validation = 0.1
  @Setting("Train on this many examples only, balanced over classes.", .atLeast(1))
  public var limit: Int? = nil
  @Setting(
    "Training examples that keep their label, balanced over classes: a number, or a share such as '5%'; unset: all.")
  public var labelled: LabelledExamples? = nil
  @Setting(
    "With 'labelled': the share of each batch that has a label, in stages whose losses need labels; unset: as many as chance brings.",
    .above(0, upTo: 1))
  public var labelledShare: Double? = nil
  @Setting(
    "Classes that are held out of all parts, by name, or number from 0 where none is called so, or several as in 964-1622: what is measured on them is open-set use; [] for none.",
    .atLeast(0))
  public var holdOut: [NameOrNumber] = []
  @Setting(
    "Weight of the examples of each class: a list of one number per class, or 'balanced' for inverse class frequencies; unset: equal weights.",
    .atLeast(0))
  public var classWeights: ClassWeights? = nil
  @Setting(
    "Share cut out of the training part as the test part, for data without one of their own; unset: 0.25.",
    .between(0, 1))
  public var test: Double? = nil
  @Setting(
    "Cuts the training part into so many stratified folds, for cross-validation; the set's own test part is left aside.",
    .atLeast(2))
  public var folds: Int? = nil
  @Setting("The fold that is the test part, from 0.", .atLeast(0))
  public var fold = 0
  @Setting(
    "Seed of the cut into folds; unset: the run's seed. Runs of several seeds can share folds by it.",
    .atLeast(0))
  public var foldSeed: Int? = nil
  @Setting(
    "A file that says which rows are in which part, in place of the settings that cut: comma-separated, with the columns 'part' (train, validation, test) and 'row' (from 0) or 'id', as a run's split.csv."
  )
  public var splitFile: String? = nil
  @Setting("true: the small set of the package; false: the full set; unset: the full set where it is found.")
  public var embedded: Bool? = nil
  @Setting("Augmentation: each training image moves by up to this many pixels along both axes.", .within(0...1024))
  public var shift = 0
  @Setting("Augmentation: each training image is mirrored left to right in half of the cases.")
  public var flip = false
  @Setting("Tables: cells without a value are refused, or, by 'keep', left to the transform 'impute'.")
  public var missing = TableFormat.Missing.refuse
  @Setting(
    "Tables and data 'images': how many MiB a compressed file (.gz, .npz, .h5ad) may unpack to.", .within(1...1_048_576)
  )
  public var unpackLimit = TableFormat().unpackLimit
  @Setting(
    "Data 'table': the file, delimited text, .npy, .npz or .h5ad; data 'images': the folder, or an .npz file; looked for here, then in the data folder."
  )
  public var path: String? = nil
  @Setting(
    "Data 'table': the separator of cells: 'comma', 'semicolon', 'tab', 'space' (of R's write.table), or 'auto' by the first row, which never takes a space."
  )
  public var separator = TableFormat.Separator.auto
  @Setting("Data 'table': the decimal separator, 'point' or 'comma'.")
  public var decimal = TableFormat.Decimal.point
  @Setting("Data 'table': whether each sample is one of the 'rows' or of the 'columns'.")
  public var samples = TableFormat.Direction.rows
  @Setting("Data 'table': whether the first row has names; unset: where none of its cells is a number.")
  public var header: Bool? = nil
  @Setting(
    "Data 'table': name or number, from 1, of the labels' column (row, for samples in columns); -1 is the last, 'none' for no labels; of .npz the array, of .h5ad the column of obs; unset: label, labels, class or target."
  )
  public var label: NameOrNumber? = nil
  @Setting(
    "Data 'table': name or number, as for the label, of the column of ids, which names samples and is no feature; 'none' for none; of .npz the array, of .h5ad the column of obs; unset: a first column of texts that all differ."
  )
  public var id: NameOrNumber? = nil
  @Setting(
    "Data 'table': a file that has the labels, delimited text with a row for each sample; joined by the samples' names where the table has some, else by the order of rows. 'label' then names its column."
  )
  public var labelFile: String? = nil
  @Setting("Data 'table': of an .h5ad file, the layer that is read in place of X.")
  public var layer: String? = nil
  @Setting(
    "Data 'table': names or numbers, as for the label, of columns (rows, for samples in columns) that are left out.",
    .within(-1e6...1e6))
  public var drop: [NameOrNumber] = []

  public init() {}

  /// Settings that a resolved recipe has only where they are set: it is the same text as before there were these.
  package static let onlyWhereSet: Set<String> = ["id", "labelFile", "layer", "splitFile"]

  /// Checks what depends on more than one setting.
  /// - Throws: `ConfigError` for a setting out of its range, or beside one that it cannot go with.
  public func validate(at path: String = "data.with") throws {
    _ = try DataSettings(values, at: path)
    func check(_ isFine: Bool, _ name: String, _ found: Any, _ expected: String) throws {
      guard isFine else { throw ConfigError(path: "\(path).\(name)", "found \(found), expected \(expected)") }
    }
    if let splitFile {
      try check(
        folds == nil && test == nil, "splitFile", splitFile,
        "nothing beside data.\(folds == nil ? "test" : "folds"), as the file says what the test part is; leave one out")
    }
    if let test {
      try check(folds == nil, "test", test, "nothing beside data.folds, of which one is the test part; leave one out")
    }
    if let folds {
      try check((0..<folds).contains(fold), "fold", fold, "0 to \(folds - 1), as there are \(folds) folds")
    } else {
      try check(fold == 0, "fold", fold, "a number of folds with it; set data.folds")
    }
    try check(
      labelFile == nil || label != .name("none"), "labelFile", labelFile ?? "",
      "nothing beside data.label=none; leave one of them out")
    if let labelledShare {
      try check(
        labelled != nil, "labelledShare", labelledShare,
        "nothing while every example keeps its label; set data.labelled, '100%' say, or leave it out")
    }
    if case .perClass(let weights) = classWeights {
      try check(weights.contains { $0 > 0 }, "classWeights", weights, "at least one weight above 0")
    }
  }

  /// The padding by which images become multiples of `padTo`; 0 where no equal padding of all sides does that.
  /// - Parameter shape: `[channels, height, width]`.
  public func padding(toMultiplesFor shape: [Int]) -> Int {
    let sides = shape.dropFirst()
    return (0..<padTo).first { pad in sides.allSatisfy { ($0 + 2 * pad).isMultiple(of: padTo) } } ?? 0
  }

  var tableFormat: TableFormat {
    var format = TableFormat()
    (format.separator, format.decimal, format.samples) = (separator, decimal, samples)
    (format.header, format.label, format.drop, format.missing) = (header, label, drop, missing)
    (format.unpackLimit, format.layer, format.id) = (unpackLimit, layer, id)
    return format
  }
}
