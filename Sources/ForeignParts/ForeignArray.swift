import CForeign
import Foundation
import LatentKit

/// Numbers in memory that a function reads or fills.
///
/// What is to be filled starts with marks, so that what stays unwritten is known; at both ends there is room that must stay as it
/// is, so that what is written beside it is known.
final class ForeignArray {
  let number: CNumber
  let count: Int
  /// The numbers of one row.
  let rowSize: Int
  private let memory: UnsafeMutableRawPointer
  private static let margin = 256
  private static let edge: UInt8 = 0xA5

  /// Creates an array of marks.
  convenience init(_ number: CNumber, rows: Int, of rowSize: Int) {
    self.init(unset: number, rows * rowSize, rowSize)
    for index in 0..<count { storeMark(at: pointer + index * number.size) }
  }

  /// Creates the array of some numbers.
  convenience init(_ number: CNumber, _ values: [Double], rowSize: Int) {
    self.init(unset: number, values.count, rowSize)
    for (index, value) in values.enumerated() { number.store(value, at: pointer + index * number.size) }
  }

  /// Creates the array of some whole numbers, a row each.
  ///
  /// - Throws: `RecipeError` for a number that the type cannot hold.
  convenience init(_ number: CNumber, _ values: [Int]) throws {
    self.init(unset: number, values.count, 1)
    for (index, value) in values.enumerated() {
      guard number.store(value, at: pointer + index * number.size) else {
        throw RecipeError("found \(value), which \(number.rawValue) cannot hold")
      }
    }
  }

  private init(unset number: CNumber, _ count: Int, _ rowSize: Int) {
    (self.number, self.count, self.rowSize) = (number, count, rowSize)
    let size = count * number.size
    memory = .allocate(byteCount: size + 2 * Self.margin, alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: Self.edge, count: Self.margin)
    (memory + Self.margin + size).initializeMemory(as: UInt8.self, repeating: Self.edge, count: Self.margin)
  }

  deinit { memory.deallocate() }

  /// The first number.
  var pointer: UnsafeMutableRawPointer { memory + Self.margin }

  func pointer(row: Int) -> UnsafeMutableRawPointer { pointer + row * rowSize * number.size }

  var reals: [Double] { (0..<count).map { number.real(at: pointer + $0 * number.size) } }

  /// Nil for a number that no `Int` holds.
  var wholes: [Int?] { (0..<count).map { number.whole(at: pointer + $0 * number.size) } }

  var bytes: Data { Data(bytes: pointer, count: count * number.size) }

  /// Whether something was written beside the numbers.
  var isOverrun: Bool {
    let end = memory + Self.margin + count * number.size
    return (0..<Self.margin).contains {
      memory.load(fromByteOffset: $0, as: UInt8.self) != Self.edge
        || end.load(fromByteOffset: $0, as: UInt8.self) != Self.edge
    }
  }

  /// The place of the first number that was not written; nil where all were, and for bytes, which have no mark.
  var firstUnwritten: Int? { (0..<count).first { isMark(at: pointer + $0 * number.size) } }

  // Numbers that are not a number in a way that no computation gives, and whole numbers that nobody counts to.
  private static let mark64: UInt64 = 0xFFF8_5AFE_C0DE_0001
  private static let mark32: UInt32 = 0xFFC5_AFE1

  private func storeMark(at place: UnsafeMutableRawPointer) {
    switch number.size {
    case 8: place.storeBytes(of: Self.mark64, as: UInt64.self)
    case 4: place.storeBytes(of: Self.mark32, as: UInt32.self)
    default: place.storeBytes(of: 0, as: UInt8.self)
    }
  }

  private func isMark(at place: UnsafeMutableRawPointer) -> Bool {
    switch number.size {
    case 8: place.load(as: UInt64.self) == Self.mark64
    case 4: place.load(as: UInt32.self) == Self.mark32
    default: false
    }
  }
}
