import Files
import Foundation

/// The safetensors file format: a length, a JSON header with types, shapes and offsets, then the bytes. Nothing in it
/// can be executed, and other languages read it.
public enum Safetensors {
  /// Where the metadata have the checksum of all else in the file.
  private static let checksumKey = "sha256"

  /// SHA-256 over the texts and the tensors, in order of name: for each its name, type, shape and bytes.
  private static func checksum(_ tensors: [String: Tensor], _ metadata: [String: String]) throws -> String {
    try Checksum(
      .sha256,
      ofPieces: { add in
        for (key, text) in metadata.sorted(by: { $0.key < $1.key }) where key != checksumKey {
          try add(Data("\(key)\0\(text)\0".utf8))
        }
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
          try add(Data("\(name)\0\(tensor.dtype.safetensorsName)\0\(tensor.shape)\0".utf8))
          try add(tensor.bytes())
        }
      }
    ).digits
  }

  /// Writes named tensors, in order of name, and free text beside them. The file is written completely or not at all.
  ///
  /// - Parameter isChecked: Whether the file has a checksum, by which reading it finds damage.
  public static func write(
    _ tensors: [String: Tensor], metadata: [String: String] = [:], isChecked: Bool = false, to url: URL
  ) throws {
    guard tensors["__metadata__"] == nil else {
      throw FileError(
        url.path, "cannot be written: '__metadata__' is no name for a tensor; the format keeps it for text")
    }
    let names = tensors.keys.sorted()
    var metadata = metadata
    if isChecked { metadata[checksumKey] = try checksum(tensors, metadata) }
    var header: [String: Any] = [:]
    if !metadata.isEmpty { header["__metadata__"] = metadata }
    var offset = 0
    for name in names {
      let tensor = tensors[name]!
      let end = offset + tensor.count * tensor.dtype.byteCount
      header[name] = ["dtype": tensor.dtype.safetensorsName, "shape": tensor.shape, "data_offsets": [offset, end]]
      offset = end
    }
    var json = try JSONSerialization.data(withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
    // Data starts at a multiple of 8, as the format's own writer has it.
    json.append(Data(repeating: 0x20, count: (8 - json.count % 8) % 8))
    try AtomicFile.write(to: url) { append in
      try append(withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) })
      try append(json)
      for name in names { try append(tensors[name]!.bytes()) }
    }
  }

  /// Reads every tensor of a file.
  ///
  /// - Parameter isChecked: Whether it must have a checksum; one that is there is always compared.
  /// - Throws: `FileError` for a file that is missing, damaged, overlapping, of unknown types or not safetensors.
  public static func read(
    _ url: URL, isChecked: Bool = false
  ) throws -> (tensors: [String: Tensor], metadata: [String: String]) {
    func bad(_ reason: String) -> FileError {
      FileError(url.path, "is not a whole safetensors file: \(reason); copy it again, or make it anew")
    }
    let data: Data
    try OutputPlace.requireReadable(url)
    do { data = try Data(contentsOf: url, options: .alwaysMapped) } catch {
      throw FileError(url.path, "cannot be read; check that the file is there")
    }
    guard data.count >= 8 else { throw bad("found \(data.count) bytes, expected at least 8") }
    let length = data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= 100_000_000, Int(length) <= data.count - 8 else {
      throw bad("its header should have \(length) bytes, the file has \(data.count)")
    }
    let start = 8 + Int(length)
    let header: SafetensorsHeader
    do { header = try SafetensorsHeader(data[8..<start]) } catch let problem as SafetensorsHeader.Problem {
      throw bad(problem.reason)
    }
    var tensors: [String: Tensor] = [:]
    var extents: [Range<Int>] = []
    for (name, entry) in header.entries {
      let (shape, first, last) = (entry.shape, entry.first, entry.last)
      guard let dtype = DType(safetensorsName: entry.dtype) else {
        throw bad("tensor '\(name)' has dtype '\(entry.dtype)', expected one of F32, F64, F16, BF16, I64, U8, BOOL")
      }
      guard shape.count <= 64 else { throw bad("tensor '\(name)' has \(shape.count) axes, expected at most 64") }
      // Empty axes count as one here: strides are products of the others.
      var size = dtype.byteCount
      for length in shape {
        let product = size.multipliedReportingOverflow(by: max(length, 1))
        guard !product.overflow else { throw bad("tensor '\(name)' has the impossible shape \(shape)") }
        size = product.partialValue
      }
      if shape.contains(0) { size = 0 }
      guard last >= first, last - first == size else {
        throw bad("tensor '\(name)' of shape \(shape) does not take the bytes \(first) to \(last)")
      }
      guard last <= data.count - start else {
        throw bad("tensor '\(name)' ends at byte \(last) of the data, which has \(data.count - start); it was cut off")
      }
      if dtype == .bool, let byte = data[(start + first)..<(start + last)].first(where: { $0 > 1 }) {
        throw bad("tensor '\(name)' of truth values holds the byte \(byte), expected 0 or 1")
      }
      extents.append(first..<last)
      tensors[name] = try Tensor(bytes: data[(start + first)..<(start + last)], shape: shape, dtype: dtype)
    }
    // One tensor after the other, from the first byte to the last: as the format demands.
    var covered = 0
    for extent in extents.sorted(by: { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }) {
      guard extent.lowerBound >= covered else { throw bad("two tensors share the byte \(start + extent.lowerBound)") }
      guard extent.lowerBound == covered else { throw bad("the bytes from \(start + covered) on belong to no tensor") }
      covered = extent.upperBound
    }
    guard covered == data.count - start else {
      throw bad("\(data.count - start - covered) bytes at its end belong to no tensor")
    }
    guard !isChecked || header.metadata[checksumKey] != nil else { throw bad("it has no checksum") }
    if let expected = header.metadata[checksumKey] {
      let found = try checksum(tensors, header.metadata)
      guard found == expected else {
        throw bad("it has the checksum \(found.prefix(12)), expected \(expected.prefix(12)) as when it was written")
      }
    }
    return (tensors, header.metadata)
  }
}

extension DType {
  fileprivate var safetensorsName: String {
    switch self {
    case .float32: "F32"
    case .float64: "F64"
    case .int64: "I64"
    case .uint8: "U8"
    case .bool: "BOOL"
    case .bfloat16: "BF16"
    case .float16: "F16"
    }
  }

  fileprivate init?(safetensorsName: String) {
    guard let found = DType.allCases.first(where: { $0.safetensorsName == safetensorsName }) else { return nil }
    self = found
  }
}
