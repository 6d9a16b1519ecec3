import Files
import Foundation

/// The safetensors file format: a length, a JSON header with types, shapes and offsets, then the bytes. Nothing in it
/// can be executed, and other languages read it.
public enum Safetensors {
  /// Writes named tensors, in order of name, and free text beside them. The file is written completely or not at all.
  public static func write(
    _ tensors: [String: Tensor], metadata: [String: String] = [:], to url: URL
  ) throws {
    guard tensors["__metadata__"] == nil else {
      throw FileError(
        url.path, "cannot be written: '__metadata__' is no name for a tensor; the format keeps it for text")
    }
    let names = tensors.keys.sorted()
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
  /// - Throws: `FileError` for a file that is missing, truncated, overlapping, of unknown types or not safetensors.
  public static func read(_ url: URL) throws -> (tensors: [String: Tensor], metadata: [String: String]) {
    func bad(_ reason: String) -> FileError {
      FileError(url.path, "is not a whole safetensors file: \(reason); copy it again, or make it anew")
    }
    let data: Data
    do { data = try Data(contentsOf: url, options: .alwaysMapped) } catch {
      throw FileError(url.path, "cannot be read; check that the file is there")
    }
    guard data.count >= 8 else { throw bad("found \(data.count) bytes, expected at least 8") }
    let length = data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= 100_000_000, Int(length) <= data.count - 8 else {
      throw bad("its header should have \(length) bytes, the file has \(data.count)")
    }
    let start = 8 + Int(length)
    guard let json = try? JSONSerialization.jsonObject(with: data[8..<start]) as? [String: Any] else {
      throw bad("its header is not JSON")
    }
    var tensors: [String: Tensor] = [:]
    var extents: [Range<Int>] = []
    for (name, value) in json where name != "__metadata__" {
      guard let entry = value as? [String: Any], let type = entry["dtype"] as? String,
        let shape = entry["shape"] as? [Int], let offsets = entry["data_offsets"] as? [Int], offsets.count == 2
      else { throw bad("tensor '\(name)' has no dtype, shape and data_offsets") }
      guard let dtype = DType(safetensorsName: type) else {
        throw bad("tensor '\(name)' is \(type), expected one of F32, F64, I64, U8, BOOL")
      }
      var size: Int? = dtype.byteCount
      for length in shape {
        guard length >= 0, let product = size?.multipliedReportingOverflow(by: length) else { throw bad("bad shape") }
        size = product.overflow ? nil : product.partialValue
      }
      let (first, last) = (offsets[0], offsets[1])
      guard first >= 0, last >= first, let size, last - first == size else {
        throw bad("tensor '\(name)' of shape \(shape) does not take the bytes \(first) to \(last)")
      }
      guard last <= data.count - start else {
        throw bad("tensor '\(name)' ends at byte \(last) of the data, which has \(data.count - start); it was cut off")
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
    return (tensors, json["__metadata__"] as? [String: String] ?? [:])
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
    }
  }

  fileprivate init?(safetensorsName: String) {
    guard let found = DType.allCases.first(where: { $0.safetensorsName == safetensorsName }) else { return nil }
    self = found
  }
}
