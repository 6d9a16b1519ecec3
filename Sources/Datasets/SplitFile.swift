import Files
import Foundation
import LatentKit

/// A file that says which rows of the data are in which part: delimited text with the columns `part` and `row`, or `id`, which
/// stands for all rows of that id: those of a patient, say. Other columns are passed over, so that the `split.csv` and the
/// `predictions.csv` of a run are such files.
struct SplitFile {
  /// The words for the parts.
  private static let words = ["train": 0, "training": 0, "validation": 1, "valid": 1, "val": 1, "test": 2]

  let url: URL
  private let rows: [[String]]
  private let part: Int
  /// The columns of ids and of rows; one of them may be missing.
  private let (id, row): (Int?, Int?)

  /// - Parameter hasIDs: Whether the data have ids.
  /// - Throws: `FileError` for a file without these columns.
  init(_ url: URL, hasIDs: Bool) throws {
    self.url = url
    rows = try delimitedTexts(in: url, separator: .auto)
    guard let first = rows.first else { throw FileError(url.path, "is empty, expected rows and their parts") }
    let head = first.map { $0.lowercased() }
    let (id, row) = (hasIDs ? head.firstIndex(of: "id") : nil, head.firstIndex(of: "row"))
    guard let part = head.firstIndex(of: "part"), id != nil || row != nil else {
      throw FileError(
        url.path,
        "has the columns \(first.listed(atMost: 8)), expected 'part' and 'row', counted from 0, or 'id' where the data have "
          + "ids; a run's split.csv is such a file")
    }
    (self.part, self.id, self.row) = (part, id, row)
  }

  /// Returns the rows of the training, the validation and the test part, in the data's order.
  ///
  /// - Parameters:
  ///   - count: How many rows the data have.
  ///   - ids: Their ids; nil without.
  /// - Throws: `FileError` for a part, a row or an id that is unknown, and for a row that is there twice.
  func places(count: Int, ids: [String]?) throws -> [[Int]] {
    let byID = Dictionary(grouping: (ids ?? []).indices) { (ids ?? [])[$0] }
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
      for place in try self.places(cells, byID, count: count, refused) {
        if let other = lines.updateValue(line, forKey: place) {
          let name = id.map { "id \(cells[$0])" } ?? "row \(place)"
          throw refused("puts \(name) into a part, as row \(other + 1) does; keep one of them")
        }
        places[number].append(place)
      }
    }
    for (number, name) in [(0, "train"), (2, "test")] where places[number].isEmpty {
      throw FileError(url.path, "puts no row into the part '\(name)', expected one or more")
    }
    return places.map { $0.sorted() }
  }

  /// The rows of the data that a line of the file is about: one, or all of an id.
  private func places(
    _ cells: [String], _ byID: [String: [Int]], count: Int, _ refused: (String) -> FileError
  ) throws -> [Int] {
    var one: Int?
    if let row, id == nil || Int(cells[row]) != nil {
      guard let place = Int(cells[row]), (0..<count).contains(place) else {
        throw refused("found row '\(cells[row])', expected 0 to \(count - 1), as the data have \(grouped(count)) rows")
      }
      one = place
    }
    guard let id else { return one.map { [$0] } ?? [] }
    guard let found = byID[cells[id]] else {
      throw refused("no row of the data has the id '\(cells[id])'; correct it, or leave the row out")
    }
    guard let one else { return found }
    guard found.contains(one) else {
      throw refused(
        "found id '\(cells[id])' and row \(one), which is not of that id; correct one, or leave a column out")
    }
    return [one]
  }
}

extension Dataset {
  /// Returns the data with the parts that a file says.
  /// - Throws: `FileError` as `SplitFile`.
  func split(by url: URL) throws -> Dataset {
    let file = try SplitFile(url, hasIDs: ids != nil)
    let parts = [train, validation, test].compactMap { $0 }
    let count = parts.reduce(0) { $0 + $1.count }
    let places = try file.places(count: count, ids: ids)
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
