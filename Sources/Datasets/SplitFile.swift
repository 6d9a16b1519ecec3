import Files
import Foundation
import LatentKit

/// A file that says which rows of the data are in which part: comma-separated, with the columns `part` and `row`, or `id`. Other
/// columns are passed over, so that the `split.csv` and the `predictions.csv` of a run are such files.
struct SplitFile {
  /// The words for the parts.
  private static let words = ["train": 0, "training": 0, "validation": 1, "valid": 1, "val": 1, "test": 2]

  let url: URL
  private let rows: [[String]]
  private let part: Int
  private let key: (column: Int, isID: Bool)

  /// - Parameter hasIDs: Whether rows of the data can be named by ids, which all differ.
  /// - Throws: `FileError` for a file without these columns.
  init(_ url: URL, hasIDs: Bool) throws {
    self.url = url
    rows = try delimitedTexts(in: url)
    let head = rows.first?.map { $0.lowercased() } ?? []
    guard let part = head.firstIndex(of: "part"),
      let key = hasIDs ? head.firstIndex(of: "id") ?? head.firstIndex(of: "row") : head.firstIndex(of: "row")
    else {
      throw FileError(
        url.path,
        "has the columns \((rows.first ?? []).listed(atMost: 8)), expected 'part' and 'row', counted from 0,"
          + " or 'id' where the data have ids that all differ; a run's split.csv is such a file")
    }
    (self.part, self.key) = (part, (key, head[key] == "id"))
  }

  /// Returns the rows of the training, the validation and the test part, in the data's order.
  ///
  /// - Parameters:
  ///   - count: How many rows the data have.
  ///   - ids: Their ids, which all differ; nil without.
  /// - Throws: `FileError` for a part, a row or an id that is unknown, and for one that is there twice.
  func places(count: Int, ids: [String]?) throws -> [[Int]] {
    let byID = Dictionary((ids ?? []).enumerated().map { ($1, $0) }) { first, _ in first }
    var places: [[Int]] = [[], [], []]
    var lines: [Int: Int] = [:]
    for (line, cells) in rows.enumerated().dropFirst() {
      func refused(_ reason: String) -> FileError { FileError(url.path, "row \(line + 1): \(reason)") }
      guard cells.count == rows[0].count else {
        throw refused("found \(cells.count) cells, expected \(rows[0].count) as in row 1")
      }
      guard let number = SplitFile.words[cells[part].lowercased()] else {
        throw refused("found the part '\(cells[part])', expected train, validation or test")
      }
      let text = cells[key.column]
      let place = key.isID ? byID[text] : Int(text)
      guard let place, (0..<count).contains(place) else {
        throw refused(
          key.isID
            ? "no row of the data has the id '\(text)'"
            : "found row '\(text)', expected 0 to \(count - 1), as the data have \(grouped(count)) rows")
      }
      if let other = lines.updateValue(line, forKey: place) {
        throw refused("puts \(key.isID ? "id" : "row") \(text) into a part, as row \(other + 1) does; keep one of them")
      }
      places[number].append(place)
    }
    for (number, name) in [(0, "train"), (2, "test")] where places[number].isEmpty {
      throw FileError(url.path, "puts no row into the part '\(name)', expected one or more")
    }
    return places.map { $0.sorted() }
  }
}

extension Dataset {
  /// Returns the data with the parts that a file says.
  /// - Throws: `FileError` as `SplitFile`.
  func split(by url: URL) throws -> Dataset {
    // What is there twice names nothing.
    let names = ids.flatMap { Set($0).count == $0.count ? $0 : nil }
    let file = try SplitFile(url, hasIDs: names != nil)
    let parts = [train, validation, test].compactMap { $0 }
    let count = parts.reduce(0) { $0 + $1.count }
    let places = try file.places(count: count, ids: names)
    let all = parts.count == 1 ? train : try Examples.concatenated(parts)
    func part(_ number: Int) throws -> Examples? {
      places[number].isEmpty ? nil : try all.subset(Tensor(places[number].map(Int64.init)))
    }
    var result = self
    guard let training = try part(0) else { return self }
    (result.train, result.validation, result.test) = (training, try part(1), try part(2))
    result.isSplit = true
    result.origin = .cut(origin, test: "the rows that \(url.lastPathComponent) says")
    let both = (digest ?? "") + (try Checksum(.md5, of: url).digits)
    result.digest = try Checksum(.md5, of: Data(both.utf8)).digits
    let left = count - places.reduce(0) { $0 + $1.count }
    if left > 0 {
      let sentence = "\(url.lastPathComponent) puts \(grouped(left)) of \(grouped(count)) rows into no part"
      result.remark = [remark, sentence].compactMap { $0 }.joined(separator: "; ")
    }
    return result
  }
}
