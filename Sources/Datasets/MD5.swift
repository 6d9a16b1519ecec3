import Files
import Foundation

/// The MD5 checksum (RFC 1321) that data sets are published with. It finds damage; it is no protection against forgery.
public struct MD5 {
  private var state: SIMD4<UInt32> = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]
  private var pending: [UInt8] = []
  private var length: UInt64 = 0

  public init() {}

  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    length += UInt64(bytes.count)
    var rest = bytes[...]
    if !pending.isEmpty {
      let taken = min(64 - pending.count, rest.count)
      pending += rest.prefix(taken)
      rest = rest.dropFirst(taken)
      guard pending.count == 64 else { return }
      pending.withUnsafeBytes { state = MD5.mix(state, $0) }
      pending.removeAll(keepingCapacity: true)
    }
    while rest.count >= 64 {
      state = MD5.mix(state, UnsafeRawBufferPointer(rebasing: rest.prefix(64)))
      rest = rest.dropFirst(64)
    }
    pending += rest
  }

  /// The checksum of everything so far, 32 hexadecimal digits.
  public consuming func digest() -> String {
    let bits = length &* 8
    let padding = [0x80] + [UInt8](repeating: 0, count: (119 - Int(length % 64)) % 64)
    padding.withUnsafeBytes { update($0) }
    withUnsafeBytes(of: bits.littleEndian) { update($0) }
    return (0..<4).map { word in
      withUnsafeBytes(of: state[word].littleEndian) { $0.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
    }.joined()
  }

  public static func digest(of data: Data) -> String {
    var sum = MD5()
    data.withUnsafeBytes { sum.update($0) }
    return sum.digest()
  }

  /// The checksum of a file, read piece by piece.
  /// - Throws: `FileError` where it cannot be read.
  public static func digest(of file: URL) throws -> String {
    do {
      let handle = try FileHandle(forReadingFrom: file)
      defer { try? handle.close() }
      var sum = MD5()
      while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty {
        piece.withUnsafeBytes { sum.update($0) }
      }
      return sum.digest()
    } catch {
      throw FileError(file.path, "cannot be read for its checksum: \(error.localizedDescription)")
    }
  }

  private static let shifts: [UInt32] = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]
  private static let constants = (0..<64).map {
    UInt32((Foundation.sin(Double($0 + 1)).magnitude * 0x1p32).rounded(.down))
  }

  /// One block of 64 bytes (RFC 1321, section 3.4).
  private static func mix(_ state: SIMD4<UInt32>, _ block: UnsafeRawBufferPointer) -> SIMD4<UInt32> {
    shifts.withUnsafeBufferPointer { shifts in
      constants.withUnsafeBufferPointer { constants in
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var step = 0
        while step < 64 {
          let mixed: UInt32
          let word: Int
          switch step >> 4 {
          case 0: (mixed, word) = ((b & c) | (~b & d), step)
          case 1: (mixed, word) = ((d & b) | (~d & c), (5 &* step &+ 1) & 15)
          case 2: (mixed, word) = (b ^ c ^ d, (3 &* step &+ 5) & 15)
          default: (mixed, word) = (c ^ (b | ~d), (7 &* step) & 15)
          }
          let value = UInt32(littleEndian: block.loadUnaligned(fromByteOffset: 4 &* word, as: UInt32.self))
          let sum = a &+ mixed &+ constants[step] &+ value
          let shift = shifts[(step >> 4) &* 4 &+ (step & 3)]
          (a, d, c, b) = (d, c, b, b &+ (sum &<< shift | sum &>> (32 &- shift)))
          step &+= 1
        }
        return state &+ SIMD4(a, b, c, d)
      }
    }
  }
}
