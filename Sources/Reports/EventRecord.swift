import Foundation

// The layout of an event file: TFRecord framing around protocol buffers.

/// A protocol buffer message under construction: numbered fields, one after the other.
struct Message {
  private(set) var data = Data()

  mutating func integer(_ field: Int, _ value: Int) {
    varint(UInt64(field) << 3)
    varint(UInt64(bitPattern: Int64(value)))
  }

  mutating func double(_ field: Int, _ value: Double) {
    varint(UInt64(field) << 3 | 1)
    data += littleEndian(value.bitPattern)
  }

  mutating func float(_ field: Int, _ value: Float) {
    varint(UInt64(field) << 3 | 5)
    data += littleEndian(value.bitPattern)
  }

  mutating func bytes(_ field: Int, _ value: Data) {
    varint(UInt64(field) << 3 | 2)
    varint(UInt64(value.count))
    data += value
  }

  mutating func text(_ field: Int, _ value: String) { bytes(field, Data(value.utf8)) }

  /// Appends seven bits per byte, the lowest first; the eighth is set if more follow.
  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest > 0x7F {
      data.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    data.append(UInt8(rest))
  }
}

extension EventFile {
  /// The first message of an event file.
  static func versionEvent(at time: Double) -> Data {
    var event = Message()
    event.double(1, time)
    event.text(3, "brain.Event:2")
    return event.data
  }

  /// A message in its frame: length, checksum of the length, message, checksum of the message.
  static func record(_ message: Data) -> Data {
    let length = littleEndian(UInt64(message.count))
    return length + littleEndian(maskedChecksum(length)) + message + littleEndian(maskedChecksum(message))
  }

  /// The number of bytes at the start of `data` that are complete records, up to the first event of a step after `lastStep`.
  static func end(ofWholeRecordsIn data: Data, keepingSteps lastStep: Int?) -> Int {
    var end = 0
    while data.count - end >= 16 {
      let header = data[end..<(end + 8)]
      let length = integer(header)
      guard integer(data[(end + 8)..<(end + 12)]) == UInt64(maskedChecksum(header)),
        length <= UInt64(data.count - end - 16)
      else { break }
      let start = end + 12
      let stop = start + Int(length)
      let message = data[start..<stop]
      guard integer(data[stop..<(stop + 4)]) == UInt64(maskedChecksum(message)) else { break }
      if let lastStep, let step = step(of: message), step > lastStep { break }
      end = stop + 4
    }
    return end
  }

  /// The step of an event message, its field 2; nil if it has none.
  private static func step(of message: Data) -> Int? {
    var rest = message[...]
    func varint() -> UInt64? {
      var value: UInt64 = 0
      for shift in stride(from: 0, to: 64, by: 7) {
        guard let byte = rest.popFirst() else { return nil }
        value |= UInt64(byte & 0x7F) << shift
        if byte < 0x80 { return value }
      }
      return nil
    }
    while let tag = varint() {
      switch (tag >> 3, tag & 7) {
      case (2, 0): return varint().map { Int(truncatingIfNeeded: $0) }
      case (_, 0): _ = varint()
      case (_, 1): rest = rest.dropFirst(8)
      case (_, 2): rest = rest.dropFirst(Int(clamping: varint() ?? 0))
      case (_, 5): rest = rest.dropFirst(4)
      default: return nil
      }
    }
    return nil
  }

  /// TFRecord's masked CRC-32C: rotated right by 15 bits, plus a constant, so that a checksum of data that contain checksums
  /// is no special value.
  static func maskedChecksum(_ data: Data) -> UInt32 {
    let checksum = checksum(data)
    return (checksum >> 15 | checksum << 17) &+ 0xa282_ead8
  }

  /// CRC-32C (Castagnoli), reflected, as in RFC 3720.
  static func checksum(_ data: Data) -> UInt32 {
    data.withUnsafeBytes { bytes in
      ~bytes.reduce(~UInt32(0)) { $0 >> 8 ^ checksumTable[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
    }
  }

  private static let checksumTable: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0x82f6_3b78 }
  }

  private static func integer(_ bytes: Data) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
}

private func littleEndian(_ value: some FixedWidthInteger) -> Data {
  withUnsafeBytes(of: value.littleEndian) { Data($0) }
}
