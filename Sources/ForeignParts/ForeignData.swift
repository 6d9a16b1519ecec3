import Datasets
import Files
import Foundation
import LatentKit

/// A data set that foreign functions read: one says how large it is, the other fills the examples in.
struct ForeignData: Sendable {
  let name: String
  let title: String
  let size: ForeignFunction
  let read: ForeignFunction
  /// What one set may hold.
  private static let most = 1 << 28

  private var areImages: Bool { size.signature.takes("channels") }

  func entry(_ part: ForeignManifest.PartDeclaration) -> DatasetEntry {
    DatasetEntry(name, part.summary, areImages ? .images : .rows, own: part.settings) { values, request in
      try dataset(values, seed: request.seed)
    }
  }

  private func dataset(_ values: SettingValues, seed: UInt64) throws -> Dataset {
    let lengths = try lengths(values)
    let shape = areImages ? ["channels", "height", "width"] : ["features"]
    let sizes = shape.map { lengths[$0] ?? 0 }
    let count = lengths["count"] ?? 0
    let rowSize = sizes.reduce(1, *)
    var bindings = try settings(values, of: read)
    bindings["seed"] = .whole(Int(seed & ((1 << read.signature.seedBits) - 1)))
    for (name, length) in lengths { bindings[name] = .whole(length) }
    let inputs = ForeignArray(read.signature.numbers(of: "inputs") ?? .float, rows: count, of: rowSize)
    let labels = read.signature.numbers(of: "labels").map { ForeignArray($0, rows: count, of: 1) }
    bindings["inputs"] = .array(inputs)
    bindings["labels"] = labels.map { .array($0) }
    let results = try calling(read, bindings)
    if read.signature.resultName == "count", let found = results.first?.whole, found != count {
      throw refusal("\(read.title) returned \(found) as the number of examples, and \(size.title) said \(count)")
    }
    if let place = inputs.firstUnwritten {
      throw refusal("\(read.title) left example \(place / rowSize) of \(count) unwritten")
    }
    if let place = labels?.firstUnwritten { throw refusal("\(read.title) left label \(place) of \(count) unwritten") }
    let tensor =
      areImages
      ? try Tensor(bytes: inputs.bytes, shape: [count] + sizes, dtype: .uint8)
      : try Tensor(inputs.reals.map(Float.init), shape: [count] + sizes)
    let classes = try labels.map { try Tensor($0.wholes.map { Int64($0 ?? -1) }) }
    let digest = try Checksum(.sha256, of: tensor.bytes() + (classes?.bytes() ?? Data())).digits
    return try Dataset(
      name: name, title: title, train: Examples(inputs: tensor, labels: classes), test: nil,
      classCount: lengths["classes"], digest: digest, origin: .made("\(count) examples of \(size.title)"))
  }

  /// What the first function says, by name.
  private func lengths(_ values: SettingValues) throws -> [String: Int] {
    var bindings = try settings(values, of: size)
    var arrays: [String: ForeignArray] = [:]
    for name in Role.size.parameters.keys {
      guard let number = size.signature.numbers(of: name) else { continue }
      arrays[name] = ForeignArray(number, rows: 1, of: 1)
      bindings[name] = arrays[name].map { .array($0) }
    }
    try calling(size, bindings)
    var lengths: [String: Int] = [:]
    var total = 1
    for (name, array) in arrays.sorted(by: { $0.key < $1.key }) {
      guard array.firstUnwritten == nil, let length = array.wholes[0], (1...Self.most).contains(length) else {
        let found = array.firstUnwritten == nil ? array.wholes[0].map { "\($0)" } ?? "too much" : "nothing"
        throw refusal("\(size.title) said \(found) for '\(name)', expected 1 to \(Self.most)")
      }
      lengths[name] = length
      if name != "classes" { total *= length }
      guard (1...Self.most).contains(total) else {
        throw refusal(
          "\(size.title) said \(lengths.map { "\($0.key) \($0.value)" }.sorted().listed()): more than \(Self.most) numbers"
        )
      }
    }
    return lengths
  }

  private func settings(_ values: SettingValues, of function: ForeignFunction) throws -> [String: Binding] {
    do { return try function.settings(values, of: "data '\(name)'") } catch let error as RecipeError {
      throw DatasetError(error.description)
    }
  }

  @discardableResult
  private func calling(_ function: ForeignFunction, _ bindings: [String: Binding]) throws -> [ForeignFunction.Result] {
    do { return try function.call(bindings) } catch let error as RecipeError { throw refusal("\(error)") }
  }

  private func refusal(_ reason: String) -> DatasetError { DatasetError("data '\(name)': \(reason)") }
}
