import Datasets
import LatentKit

/// Two rings around the origin, a class each: rows of two numbers, made from the run's seed.
public struct __Name__Data: ComponentConfig {
  @Setting("The number of examples of each class.", .within(2...1_000_000)) public var perClass = 500
  @Setting("Standard deviation of the distance from the origin.", .within(0...1)) public var spread = 0.1
  public init() {}

  /// The data set. It has no test part of its own: one is cut out of these examples.
  public static let entry = DatasetEntry(
    "__name__", "two rings in the plane", .rows, own: __Name__Data.self
  ) { data, request in
    var generator = try Generator(seed: request.seed, for: "data __name__")
    return try Dataset(
      name: "__name__", title: "Two rings", train: data.examples(using: &generator), test: nil,
      classNames: ["inner", "outer"], featureNames: ["x", "y"], origin: .made("\(2 * data.perClass) points"))
  }

  /// The radius is 1 in class 0, and 2 in class 1.
  private func examples(using generator: inout Generator) throws -> Examples {
    let labels = try Tensor((0..<2 * perClass).map { Int64($0 % 2) })
    let angles = try generator.uniform([2 * perClass]) * (2 * .pi)
    let radii = try labels.to(.float32) + 1 + generator.normal([2 * perClass]) * spread
    let columns = try [radii * angles.cos(), radii * angles.sin()].map { try $0.unsqueezed(1) }
    return try Examples(inputs: Tensor.concatenate(columns, axis: 1), labels: labels)
  }
}
