import CTorch

/// The operations by which a function of tensors made its results, in PyTorch's notation.
///
/// The function is called for batches of several sizes. Operations have to be the same each time; whole numbers in them that
/// change with the size are written in terms of it, as `batch`.
public struct TensorProgram: Sendable, Equatable {
  /// The statements in order, `x1 = aten.relu(inputs)` say. Those whose results are not used are left out.
  public let statements: [String]
  /// The names of the results, in the order of the function's.
  public let results: [String]
  /// Whether a statement mentions `batch`.
  public let usesBatch: Bool

  /// Records a function.
  ///
  /// - Parameters:
  ///   - sizes: The batch sizes of the calls, three or more that differ.
  ///   - weights: The tensors that the function uses, by the expression that stands for them, such as `w["conv.weight"]`.
  ///   - inputs: Returns the inputs of a batch of some size, by name.
  ///   - function: Returns tensors, given those inputs.
  /// - Throws: `TensorError` for what cannot be written down: random draws, results that were read and used as numbers, operations
  ///   that PyTorch does not have; and what the function throws.
  public init(
    of sizes: [Int] = [5, 7, 12], weights: [(name: String, tensor: Tensor)],
    inputs: (Int) throws -> [(name: String, tensor: Tensor)], _ function: ([Tensor]) throws -> [Tensor]
  ) throws {
    let recordings = try sizes.map { size in
      let given = try inputs(size)
      return try Recording(naming: given + weights) { try function(given.map(\.tensor)) }
    }
    self = try Self(recordings, sizes)
  }

  private init(_ recordings: [Recording], _ sizes: [Int]) throws {
    guard let first = recordings.first, sizes.count > 2 else {
      throw TensorError("recording", reason: "found \(sizes.count) batch sizes, expected three or more")
    }
    guard recordings.allSatisfy({ $0.lines.count == first.lines.count }) else { throw Self.varying }
    var needed: Set<String> = []
    var statements: [String] = []
    var results: [String] = []
    var usesBatch = false
    for index in first.lines.indices.reversed() {
      let lines = recordings.map { $0.lines[index] }
      let isLast = index == first.lines.count - 1
      let names = lines[0].results
      guard isLast || lines[0].changes || names.contains(where: needed.contains) else { continue }
      let call = try Self.merged(lines.map(\.call), sizes)
      usesBatch = usesBatch || call.usesBatch
      if isLast {
        results = call.text.split(separator: ", ").map(String.init)
      } else {
        statements.append("\(names.joined(separator: ", ")) = \(call.text)")
      }
      needed.formUnion(lines[0].uses.map { String($0.prefix { $0 != "[" }) })
    }
    for index in first.constants.indices where needed.contains("c\(index)") {
      let values = recordings.map { $0.constants.indices.contains(index) ? $0.constants[index] : nil }
      statements.append("c\(index) = \(try Self.constant(values))")
    }
    self.statements = statements.reversed()
    (self.results, self.usesBatch) = (results, usesBatch)
  }

  private static let varying = TensorError(
    "recording",
    reason: "the operations depend on the inputs' values or the batch's size; write them without reading values")

  /// Returns a call that stands for those of all sizes.
  private static func merged(_ calls: [String], _ sizes: [Int]) throws -> (text: String, usesBatch: Bool) {
    let number = /\{(-?[0-9]+)\}/
    let texts = calls.map { $0.split(separator: number, omittingEmptySubsequences: false) }
    let numbers = calls.map { $0.matches(of: number).compactMap { Int($0.1) } }
    guard texts.allSatisfy({ $0 == texts[0] }) else { throw varying }
    var (text, usesBatch) = (String(texts[0][0]), false)
    for index in numbers[0].indices {
      let values = numbers.map { $0[index] }
      let slope = (values[1] - values[0]) / (sizes[1] - sizes[0])
      let offset = values[0] - slope * sizes[0]
      guard zip(values, sizes).allSatisfy({ $0 == slope * $1 + offset }) else { throw varying }
      usesBatch = usesBatch || slope != 0
      let factor = slope == 1 ? "batch" : "batch * \(slope)"
      text += slope == 0 ? "\(offset)" : offset == 0 ? factor : "\(factor) + \(offset)"
      text += texts[0][index + 1]
    }
    return (text, usesBatch)
  }

  /// Returns the expression of a tensor that the function did not make of its inputs.
  private static func constant(_ values: [Tensor?]) throws -> String {
    guard let first = values[0], first.count <= 4096 else {
      throw TensorError(
        "recording", reason: "a table of numbers is no parameter; keep it in a buffer of the part's scope")
    }
    for other in values.dropFirst() {
      guard let other, other.shape == first.shape, other.dtype == first.dtype, try other.bytes() == first.bytes() else {
        throw varying
      }
    }
    let (type, numbers): (String, [String]) =
      switch first.dtype {
      case .float32: ("float32", try first.to(.float64).doubles().map(python))
      case .bfloat16, .float16: (first.dtype.rawValue, try first.to(.float64).doubles().map(python))
      case .float64: ("float64", try first.doubles().map(python))
      case .int64: ("int64", try first.ints().map { "\($0)" })
      case .uint8: ("uint8", try first.to(.int64).ints().map { "\($0)" })
      case .bool: ("bool", try first.to(.int64).ints().map { $0 == 0 ? "False" : "True" })
      }
    return "torch.tensor([\(numbers.joined(separator: ", "))], dtype=torch.\(type)).reshape(\(first.shape))"
  }

  private static func python(_ value: Double) -> String {
    value.isNaN ? "float('nan')" : value.isInfinite ? "\(value < 0 ? "-" : "")float('inf')" : "\(value)"
  }
}

/// The operations of one call.
private struct Recording {
  struct Line {
    let results: [String]
    let call: String
    let uses: [String]
    /// Whether it works in place.
    let changes: Bool
  }

  /// The operations, then the results.
  let lines: [Line]
  /// Tensors that were met without having been made by an operation.
  let constants: [Tensor]

  init(naming tensors: [(name: String, tensor: Tensor)], _ body: () throws -> [Tensor]) throws {
    let names = tensors.map { $0.name.utf8CString }
    var pointers: [UnsafePointer<CChar>?] = []
    let copies = names.map { name in
      let copy = UnsafeMutableBufferPointer<CChar>.allocate(capacity: name.count)
      _ = copy.initialize(from: name)
      pointers.append(UnsafePointer(copy.baseAddress))
      return copy
    }
    defer { for copy in copies { copy.deallocate() } }
    try tensors.map(\.tensor).withHandles { handles, count in
      try Tensor.check("recording") { ct_trace_begin(handles, pointers, count) }
    }
    let results: [Tensor]
    do { results = try body() } catch {
      ct_trace_free(ct_trace_end(nil, 0))
      throw error
    }
    let text = results.withHandles { handles, count in ct_trace_end(handles, count) }
    guard let text else { throw TensorError.last("recording", []) }
    defer { ct_trace_free(text) }
    lines = String(cString: text).split(separator: "\n").map { line in
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      func names(_ text: String) -> [String] {
        text.split { $0 == " " || $0 == "," }.map(String.init)
      }
      return Line(results: names(fields[0]), call: fields[1], uses: names(fields[2]), changes: fields[3] == "changes")
    }
    constants = try (0..<ct_trace_constant_count()).map { index in
      try Tensor.make("recording", []) { ct_trace_constant(index) }
    }
  }
}
