import CForeign
import Foundation
import LatentKit

/// A density whose logarithm a foreign function computes, of rows, of one row or of one number at a time.
///
/// Where the function gives no gradient, the gradient is that of central differences, in steps of the cube root of the precision
/// times the number's size; where only one of two neighbours has a finite density, of a one-sided difference; 0 where the density
/// itself is 0.
struct ForeignDensity {
  private let function: ForeignFunction
  private let settings: [String: Binding]
  private let latentSize: Int
  /// Nil where the density does not depend on the class.
  let classCount: Int?
  private let title: String
  private var signature: Signature { function.signature }

  init(_ function: ForeignFunction, _ values: SettingValues, _ context: BuildContext) throws {
    (self.function, latentSize, title) = (function, context.latentSize, context.title)
    settings = try function.settings(values, of: context.title)
    let isOfClasses = ["labels", "label", "classes"].contains(where: function.signature.takes)
    classCount = isOfClasses ? try context.requireClasses() : nil
  }

  /// `[rows]` for latents `[rows, latent]`; without labels, of a density of classes, that of their mixture in equal shares.
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    guard latents.rank == 2, try latents.size(1) == latentSize else {
      throw RecipeError("\(title): found latents of shape \(latents.shape), expected [rows, \(latentSize)]")
    }
    let rows = try latents.size(0)
    guard let classCount else { return try evaluated(latents, nil) }
    guard let labels else {
      let each = try (0..<classCount).map { try evaluated(latents, Array(repeating: $0, count: rows)) }
      return try Tensor.stack(each).logSumExp(axis: 0) - log(Double(classCount))
    }
    let classes = try labels.ints()
    guard classes.count == rows else {
      throw RecipeError("\(title): found \(classes.count) labels for \(rows) latents, expected one for each")
    }
    if let wrong = classes.first(where: { !(0..<classCount).contains($0) }) {
      throw RecipeError("\(title): found the class \(wrong), expected 0 to \(classCount - 1)")
    }
    return try evaluated(latents, classes)
  }

  private func evaluated(_ latents: Tensor, _ classes: [Int]?) throws -> Tensor {
    let points = try latents.detached().to(.cpu).contiguous().doubles()
    func tensor(_ values: [Double], _ shape: [Int]) throws -> Tensor {
      try Tensor(values, shape: shape).to(latents.dtype).to(latents.device)
    }
    guard latents.recordsGradients else {
      let values = try values(points, classes, withGradients: false).0
      return try tensor(values, [latents.size(0)])
    }
    let (values, gradients) = try values(points, classes, withGradients: true)
    return try tensor(values, [latents.size(0)]).withGradients(tensor(gradients, latents.shape), by: latents)
  }

  private func values(
    _ points: [Double], _ classes: [Int]?, withGradients: Bool
  ) throws -> ([Double], gradients: [Double]) {
    guard !points.isEmpty else { return ([], []) }
    if signature.takes("value") {
      let each = try ofValues(points, classes)
      let sums = stride(from: 0, to: points.count, by: latentSize).map { each[$0..<$0 + latentSize].reduce(0, +) }
      guard withGradients else { return (sums, []) }
      let steps = points.map(step)
      let (above, below) = (
        try ofValues(zip(points, steps).map(+), classes), try ofValues(zip(points, steps).map(-), classes)
      )
      return (sums, points.indices.map { slope(below[$0], each[$0], above[$0], steps[$0]) })
    }
    let (values, gradients) = try ofRows(points, classes)
    guard withGradients, gradients.isEmpty else { return (values, gradients) }
    var slopes = Array(repeating: 0.0, count: points.count)
    for axis in 0..<latentSize {
      var (up, down) = (points, points)
      let places = values.indices.map { $0 * latentSize + axis }
      for place in places {
        up[place] += step(points[place])
        down[place] -= step(points[place])
      }
      let (above, below) = (try ofRows(up, classes).0, try ofRows(down, classes).0)
      for (row, place) in places.enumerated() {
        slopes[place] = slope(below[row], values[row], above[row], step(points[place]))
      }
    }
    return (values, slopes)
  }

  var precision: DType { signature.precision }

  private func step(_ value: Double) -> Double {
    cbrt(precision == .float64 ? Double.ulpOfOne : Double(Float.ulpOfOne)) * max(1, abs(value))
  }

  private func slope(_ below: Double, _ here: Double, _ above: Double, _ step: Double) -> Double {
    guard here.isFinite else { return 0 }
    switch (below.isFinite, above.isFinite) {
    case (true, true): return (above - below) / (2 * step)
    case (true, false): return (here - below) / step
    case (false, true): return (above - here) / step
    case (false, false): return 0
    }
  }

  // MARK: Calls

  /// The log density of each number.
  private func ofValues(_ points: [Double], _ classes: [Int]?) throws -> [Double] {
    var bindings = settings
    bindings["value"] = .reals(points)
    bindings["latent"] = .whole(latentSize)
    bindings["classes"] = classCount.map { .whole($0) }
    bindings["label"] = classes.map { all in .wholes(all.flatMap { Array(repeating: $0, count: latentSize) }) }
    let results = try function.call(bindings, times: points.count)
    return try logarithms(results.map(\.real), points, size: 1)
  }

  /// The log density of each row, and the gradients where the function gives them.
  private func ofRows(_ points: [Double], _ classes: [Int]?) throws -> ([Double], [Double]) {
    let rows = points.count / latentSize
    var bindings = settings
    func fill(_ name: String, of size: Int) -> ForeignArray? {
      let array = signature.numbers(of: name).map { ForeignArray($0, rows: rows, of: size) }
      bindings[name] = array.map { .array($0) }
      return array
    }
    if let number = signature.numbers(of: "latents") {
      bindings["latents"] = .array(ForeignArray(number, points, rowSize: latentSize))
    }
    if let number = signature.numbers(of: "labels"), let classes {
      bindings["labels"] = .array(try ForeignArray(number, classes))
    }
    bindings["label"] = classes.map { .wholes($0) }
    bindings["rows"] = .whole(rows)
    bindings["latent"] = .whole(latentSize)
    bindings["classes"] = classCount.map { .whole($0) }
    let (densities, gradients) = (fill("log-densities", of: 1), fill("gradients", of: latentSize))
    let results = try function.call(bindings, times: signature.takes("rows") ? 1 : rows)
    for (name, array) in [("log-densities", densities), ("gradients", gradients)] {
      if let array, let place = array.firstUnwritten {
        throw RecipeError(
          "\(title): \(function.title) left '\(name)' of row \(place / array.rowSize) unwritten, of \(rows) rows")
      }
    }
    let values = try logarithms(densities?.reals ?? results.map(\.real), points, size: latentSize)
    let slopes = gradients?.reals ?? []
    for (index, slope) in slopes.enumerated() where slope.isNaN && isFinite(points, index / latentSize, latentSize) {
      throw RecipeError("\(title): \(function.title) gave NaN as the gradient of row \(index / latentSize)")
    }
    return (values, slopes)
  }

  private func logarithms(_ values: [Double], _ points: [Double], size: Int) throws -> [Double] {
    let isLog = signature.resultName != "density"
    for (row, value) in values.enumerated() where value.isNaN || !isLog && value < 0 {
      // What is asked about no number is answered by none.
      guard isFinite(points, row, size) else { continue }
      let place = size == 1 ? "the number \(points[row])" : "row \(row)"
      throw RecipeError(
        "\(title): \(function.title) gave \(value) for \(place), expected \(isLog ? "a log density" : "a density, 0 or more")"
      )
    }
    return isLog ? values : values.map { log($0) }
  }

  private func isFinite(_ points: [Double], _ row: Int, _ size: Int) -> Bool {
    points[row * size..<(row + 1) * size].allSatisfy(\.isFinite)
  }
}
