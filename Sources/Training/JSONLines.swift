import Files
import Foundation

/// A record that says what about it cannot be.
protocol CheckedRecord: Decodable {
  /// What is impossible about it; nil where nothing is.
  var problem: String? { get }
}

/// Files with one JSON object a line, of any numbers.
enum JSONLines {
  static func read<Record: CheckedRecord>(_ url: URL, as what: String) throws -> [Record] {
    try OutputPlace.requireReadable(url)
    guard let text = try? String(contentsOf: url, encoding: .utf8) else {
      throw FileError(url.path, "cannot be read; is this the folder of a run?")
    }
    let decoder = JSONDecoder.ofAnyNumbers()
    return try text.split(separator: "\n").enumerated().map { index, line in
      let record: Record
      do { record = try decoder.decode(Record.self, from: Data(line.utf8)) } catch {
        throw FileError(url.path, "line \(index + 1) is not \(what); remove the run's folder and run it again")
      }
      if let problem = record.problem {
        throw FileError(
          url.path, "line \(index + 1) is not \(what): found \(problem); remove the run's folder and run it again")
      }
      return record
    }
  }

  /// Returns the record with its end of line.
  static func line(_ record: some Encodable) throws -> Data {
    try JSONEncoder.ofAnyNumbers(.sortedKeys).encode(record) + Data("\n".utf8)
  }
}
