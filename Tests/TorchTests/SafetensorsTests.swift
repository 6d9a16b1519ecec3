import Files
import Foundation
import Testing
import Torch

private let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()
private let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .appendingPathComponent("Fixtures/python.safetensors")

/// A Python that has numpy and safetensors: the package's own, or the machine's; nil where neither has.
private let python: String? = {
  let own = package.appendingPathComponent(".venv/bin/python").path
  return [[own], ["/usr/bin/env", "python3"]].first { command in
    (try? run(command + ["-c", "import numpy, safetensors"]))?.status == 0
  }?.joined(separator: "\n")
}()

private func run(_ command: [String]) throws -> (status: Int32, output: String) {
  let (process, pipe) = (Process(), Pipe())
  process.executableURL = URL(fileURLWithPath: command[0])
  process.arguments = Array(command.dropFirst())
  process.standardOutput = pipe
  process.standardError = FileHandle.nullDevice
  try process.run()
  let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
  process.waitUntilExit()
  return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}

/// One tensor of each type, an empty one, a scalar, and images with channels last.
private func examples() throws -> [String: Tensor] {
  let values = try draws([3, 4], seed: 1)
  return [
    "float32": try values.to(.float32), "float64": values, "int64": try Tensor([Int64.min, -1, .max]),
    "uint8": try Tensor([UInt8(0), 7, 255], shape: [3, 1]), "bool": try Tensor([true, false, true]),
    "empty": try .zeros([0, 5], dtype: .float64), "scalar": try .scalar(.pi, dtype: .float64),
    "not finite": try Tensor([Float.nan, .infinity, -.infinity]),
    "channels last": try draws([2, 3, 4, 5], seed: 2, dtype: .float32).channelsLast(),
    "transposed": try values.transposed(), "łódź \"q\" /\n": try Tensor([UInt8(1)]),
  ]
}

private func expectSame(_ a: [String: Tensor], _ b: [String: Tensor]) throws {
  #expect(Set(a.keys) == Set(b.keys))
  for (name, tensor) in a {
    let other = try #require(b[name])
    #expect(tensor.shape == other.shape && tensor.dtype == other.dtype, "\(name)")
    #expect(try tensor.bytes() == other.bytes(), "\(name)")
  }
}

/// A file of a header's text and bytes after it.
private func file(_ header: String, _ bytes: Int, length: UInt64? = nil) -> Data {
  withUnsafeBytes(of: (length ?? UInt64(header.utf8.count)).littleEndian) { Data($0) } + Data(header.utf8)
    + Data(repeating: 1, count: bytes)
}

private func entry(_ name: String, _ type: String = "F32", _ shape: String = "[1]", _ offsets: String = "[0,4]")
  -> String
{
  "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
}

@Test func everyTensorReadsAsItWasWritten() throws {
  try inTemporaryFolder { folder in
    let url = folder.appendingPathComponent("model.safetensors")
    let metadata = ["format": "pt", "text": "two\nlines \"q\" łódź"]
    try Safetensors.write(examples(), metadata: metadata, to: url)
    let read = try Safetensors.read(url)
    try expectSame(read.tensors, examples())
    #expect(read.metadata == metadata)
  }
}

@Test func aFileMayHoldNothing() throws {
  try inTemporaryFolder { folder in
    let url = folder.appendingPathComponent("empty.safetensors")
    try Safetensors.write([:], to: url)
    let read = try Safetensors.read(url)
    #expect(read.tensors.isEmpty && read.metadata.isEmpty)
  }
}

@Test func theSameTensorsMakeTheSameBytes() throws {
  try inTemporaryFolder { folder in
    let (one, two) = (folder.appendingPathComponent("1"), folder.appendingPathComponent("2"))
    try Safetensors.write(examples(), metadata: ["b": "1", "a": "2"], to: one)
    try Safetensors.write(examples(), metadata: ["a": "2", "b": "1"], to: two)
    #expect(try Data(contentsOf: one) == Data(contentsOf: two))
  }
}

@Test func aFileOfPythonReadsAsItsScriptSays() throws {
  let (tensors, metadata) = try Safetensors.read(fixture)
  try expectSame(
    tensors,
    [
      "encoder.conv1.weight": Tensor((0..<24).map { Float($0) / 8 - 1 }, shape: [2, 3, 2, 2]),
      "scalar": Tensor([1.0 / 3], shape: []), "large": Tensor([-1, (1 << 53) + 1, .min, Int64.max]),
      "bytes": Tensor([UInt8(0), 1, 255], shape: [1, 3]), "mask": Tensor([true, false, true]),
      "empty": .zeros([0, 4]), "łódź \"quoted\"": Tensor([Float.infinity, -.infinity]),
    ])
  #expect(metadata == ["written by": "python", "note": "two\nlines"])
}

@Test(.enabled(if: python != nil, "Scripts/bootstrap --dev installs Python's safetensors"))
func pythonReadsOurFilesAndWeReadItsCopies() throws {
  let script = """
    import sys
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file
    tensors = load_file(sys.argv[1])
    with safe_open(sys.argv[1], "np") as f:
        metadata = f.metadata()
    for name, tensor in sorted(tensors.items()):
        print(repr(name), tensor.dtype, list(tensor.shape), tensor.tobytes().hex())
    save_file(tensors, sys.argv[2], metadata)
    """
  try inTemporaryFolder { folder in
    let (ours, copy) = (folder.appendingPathComponent("ours"), folder.appendingPathComponent("copy"))
    try Safetensors.write(examples(), metadata: ["a": "łódź"], to: ours)
    let command = try #require(python).split(separator: "\n").map(String.init)
    let result = try run(command + ["-X", "utf8", "-c", script, ours.path, copy.path])
    #expect(result.status == 0)
    let lines = result.output.split(separator: "\n").map(String.init)
    for (name, tensor) in try examples() where !name.contains("\"") {
      let hex = try tensor.bytes().map { String(format: "%02x", $0) }.joined()
      let line = "'\(name)' \(tensor.dtype.rawValue) \(tensor.shape) \(hex)".trimmingCharacters(in: .whitespaces)
      #expect(lines.contains { $0.trimmingCharacters(in: .whitespaces) == line }, "\(name)")
    }
    let read = try Safetensors.read(copy)
    try expectSame(read.tensors, examples())
    #expect(read.metadata == ["a": "łódź"])
  }
}

// MARK: Refusals

@Test func aFileCutOffAnywhereIsRefused() throws {
  try inTemporaryFolder { folder in
    let url = folder.appendingPathComponent("cut")
    let whole = try Data(contentsOf: fixture)
    for length in 0..<whole.count {
      try whole.prefix(length).write(to: url)
      #expect(throws: FileError.self, "\(length) bytes") { try Safetensors.read(url) }
    }
    try (whole + Data([0])).write(to: url)
    #expect(throws: FileError.self) { try Safetensors.read(url) }
  }
}

@Test func aDamagedByteNeverTraps() throws {
  try inTemporaryFolder { folder in
    let url = folder.appendingPathComponent("damaged")
    let whole = try Data(contentsOf: fixture)
    for place in 0..<whole.count {
      for change: UInt8 in [0x01, 0x80, 0x10] {
        var damaged = whole
        damaged[place] ^= change
        try damaged.write(to: url)
        // Some damage only changes a name or a value; what counts is that nothing but a FileError comes out.
        do { _ = try Safetensors.read(url) } catch is FileError {}
      }
    }
  }
}

@Test func valuesOfAnotherKindAreNamed() throws {
  let cases: [(String, String)] = [
    ("{\"a\":3}", "tensor 'a': found a number at byte 5 of its header, expected an object"),
    ("{\"a\":{\"dtype\":3}}", "tensor 'a': dtype: found a number at byte 14 of its header, expected text"),
    ("{\"a\":{\"dtype\":null}}", "tensor 'a': dtype: found null at byte 14 of its header, expected text"),
    ("{\"a\":{\"shape\":\"1\"}}", "shape: found text at byte 14 of its header, expected a list of whole numbers"),
    ("{\"a\":{\"data_offsets\":{}}}", "data_offsets: found an object at byte 21 of its header, expected a list"),
    ("{\"__metadata__\":{\"b\":true}}", "found true or false at byte 21 of its header, expected text"),
    ("[]", "found a list at byte 0 of its header, expected an object"),
    ("{\(entry("a", "", "[1]"))}", "tensor 'a' has dtype '', expected one of F32, F64, F16, BF16, I64, U8, BOOL"),
  ]
  try inTemporaryFolder { folder in
    let url = folder.appendingPathComponent("bad")
    for (header, expected) in cases {
      try file(header, 4).write(to: url)
      let error = #expect(throws: FileError.self) { try Safetensors.read(url) }
      #expect(error?.reason.contains(expected) == true, "\(error?.reason ?? "")")
    }
  }
}

@Test func filesThatContradictThemselvesAreRefused() throws {
  let f32 = entry("a")
  let cases: [(String, Data)] = [
    ("overlap", file("{\(f32),\(entry("b"))}", 4)),
    ("overlap in part", file("{\(entry("a", "F32", "[2]", "[0,8]")),\(entry("b", "F32", "[2]", "[4,12]"))}", 12)),
    ("hole", file("{\(f32),\(entry("b", "F32", "[1]", "[8,12]"))}", 12)),
    ("hole at the start", file("{\(entry("a", "F32", "[1]", "[4,8]"))}", 8)),
    ("bytes of no tensor", file("{\(f32)}", 5)), ("unknown type", file("{\(entry("a", "F8_E5M2", "[4]"))}", 4)),
    ("wrong type for the size", file("{\(entry("a", "F64"))}", 4)),
    ("wrong shape", file("{\(entry("a", "F32", "[2]"))}", 4)),
    ("negative shape", file("{\(entry("a", "F32", "[-1]"))}", 4)),
    ("two negative lengths", file("{\(entry("a", "F32", "[-1,-1]"))}", 4)),
    ("overflow", file("{\(entry("a", "F32", "[4611686018427387904,4]", "[0,0]"))}", 0)),
    (
      "overflow hidden by nothing",
      file("{\(entry("a", "F32", "[9223372036854775807,9223372036854775807,0]", "[0,0]"))}", 0)
    ),
    ("shape beyond integers", file("{\(entry("a", "F32", "[1e300]"))}", 4)),
    ("a whole number as a fraction", file("{\(entry("a", "F32", "[1.0]"))}", 4)),
    ("a truth value as a length", file("{\(entry("a", "F32", "[true]"))}", 4)),
    ("an exponent", file("{\(entry("a", "F32", "[1e0]"))}", 4)),
    ("a truth value as an offset", file("{\(entry("a", "U8", "[1]", "[false,true]"))}", 1)),
    ("one name twice", file("{\(f32),\(entry("a", "F32", "[1]", "[4,8]"))}", 8)),
    ("one key twice", file("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"shape\":[1],\"data_offsets\":[0,4]}}", 4)),
    ("metadata that are no text", file("{\"__metadata__\":{\"a\":1}}", 0)),
    ("metadata twice", file("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0)),
    ("strides beyond integers", file("{\(entry("a", "F32", "[0,9223372036854775807]", "[0,0]"))}", 0)),
    ("many axes", file("{\(entry("a", "F32", "[\(Array(repeating: "1", count: 65).joined(separator: ","))]"))}", 4)),
    ("a truth value of 2", file("{\(entry("a", "BOOL", "[1]", "[0,1]"))}", 0) + Data([2])),
    ("text after the header", file("{} {}", 0)),
    ("half", file("{\(entry("a", "F32", "[0.5]"))}", 4)),
    ("backwards", file("{\(entry("a", "F32", "[1]", "[4,0]"))}", 4)),
    ("before the start", file("{\(entry("a", "F32", "[1]", "[-4,0]"))}", 4)),
    ("one offset", file("{\(entry("a", "F32", "[1]", "[0]"))}", 4)),
    ("past the end", file("{\(entry("a", "F32", "[1]", "[9223372036854775803,9223372036854775807]"))}", 4)),
    ("no dtype", file("{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4)), ("no object", file("{\"a\":3}", 0)),
    ("a list", file("[]", 0)), ("no JSON", file("{", 0)), ("no text", file("", 0)),
    ("huge header", file("{}", 0, length: .max)),
    ("long header", file("{}", 0, length: 3)), ("header over the limit", file("{}", 0, length: 200_000_000)),
    ("length beyond integers", file("{}", 0, length: 1 << 63)),
  ]
  try inTemporaryFolder { folder in
    let url = folder.appendingPathComponent("bad")
    for (name, bytes) in cases {
      try bytes.write(to: url)
      let error = #expect(throws: FileError.self, "\(name)") { try Safetensors.read(url) }
      #expect(error?.path == url.path)
    }
    try file("{\(f32)}", 4).write(to: url)
    #expect(throws: Never.self) { try Safetensors.read(url) }
    #expect(throws: FileError.self) { try Safetensors.read(folder.appendingPathComponent("missing")) }
    #expect(throws: FileError.self) { try Safetensors.read(folder) }
  }
}

@Test func theNameOfTheMetadataIsNoNameForATensor() throws {
  try inTemporaryFolder { folder in
    let url = folder.appendingPathComponent("x")
    #expect(throws: FileError.self) { try Safetensors.write(["__metadata__": .zeros([1])], to: url) }
    #expect(!FileManager.default.fileExists(atPath: url.path))
  }
}

@Test func aFailedWriteLeavesTheOldFile() throws {
  try inTemporaryFolder { folder in
    let url = folder.appendingPathComponent("missing/model")
    #expect(throws: FileError.self) { try Safetensors.write(["a": .zeros([1])], to: url) }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(left == [])
  }
}
