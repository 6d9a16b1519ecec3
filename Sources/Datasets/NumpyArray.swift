import Files
import Foundation
import LatentKit

/// An array as NumPy's `.npy` format holds it (NEP 1): a magic number, a version, a header of type, order and
/// shape, then the values.
struct NumpyArray {
  static let magic = Data([0x93] + "NUMPY".utf8)

  let shape: [Int]
  private let element: NumpyElement
  /// The values as they are stored.
  private let data: Data
  private let isColumnMajor: Bool

  /// - Parameter limit: How large the numbers may become in memory, for an array that was packed.
  /// - Throws: `FileError` for an array that is truncated, pickled, or of a type that is no number, truth value or text.
  init(_ data: Data, unpackedWithin limit: UnpackLimit? = nil, asBytes: Bool = false, path: String) throws {
    let data = Data(data)
    guard data.starts(with: NumpyArray.magic), data.count >= 10 else {
      throw FileError(path, "is not a NumPy array, or stops inside its header; write it again with numpy.save")
    }
    // Version 1 has two bytes for the header's length, later ones four.
    let lengthBytes = data[6] == 1 ? 2 : 4
    let length = data.dropFirst(8).prefix(lengthBytes).reversed().reduce(0) { $0 << 8 | Int($1) }
    let start = 8 + lengthBytes + length
    guard start <= data.count else {
      throw FileError(path, "is truncated: it stops inside its header; write it again with numpy.save")
    }
    let header = try NumpyHeader(data[(8 + lengthBytes)..<start], path: path)
    let element = try NumpyElement(header.type, path: path)
    var count = 1
    for length in header.shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: length)
      guard !overflow, product <= data.count else {
        throw FileError(
          path,
          "is truncated: its header says \(header.shape), more than its \(grouped(data.count)) bytes hold; save it again"
        )
      }
      count = product
    }
    guard data.count - start == count * element.size else {
      throw FileError(
        path,
        "found \(grouped(data.count - start)) bytes of values, expected \(grouped(count * element.size)) for "
          + "\(header.shape) of '\(header.type)'; save it again")
    }
    try limit?.check(count * (asBytes && element.isByte ? 1 : MemoryLayout<Float>.size), of: path)
    (shape, self.element) = (header.shape, element)
    (self.data, isColumnMajor) = (data[start...], header.isColumnMajor && shape.count > 1)
    // NumPy takes any byte but 0 for true, and such files are about.
    if !asBytes { try element.check(self.data, path: path) }
  }

  var count: Int { shape.reduce(1, *) }

  /// The values in row-major order as they are stored, for unsigned bytes and truth values in that order; else nil.
  var bytes: Data? { element.isByte && !isColumnMajor ? data : nil }
  /// Whether they are truth values.
  var isTruth: Bool { element.isTruth }
  /// Whether they are of a type that can hold fractions.
  var holdsFractions: Bool { element.holdsFractions }

  /// All values in row-major order, whatever the file's order is; nil for text.
  var numbers: [Float]? {
    if element.isText { return nil }
    return isColumnMajor
      ? element.numbers(data, at: (0..<count).lazy.map(place)) : element.numbers(data, at: 0..<count)
  }

  /// Returns the class names for the values at some positions, counted in row-major order.
  func classNames(at positions: some Collection<Int>) -> [String] {
    let places = positions.map(place)
    if element.isText { return element.texts(data, at: places) }
    let names: [NumpyClassName] = element.numbers(data, at: places)
    return names.map(\.text)
  }

  /// Returns the storage place of the value at a row-major position.
  private func place(_ position: Int) -> Int {
    guard isColumnMajor else { return position }
    // The last axis changes fastest in the position, the first one in the file.
    var (rest, place, step) = (position, 0, count)
    for length in shape.reversed() {
      step /= length
      place += rest % length * step
      rest /= length
    }
    return place
  }
}
