import LatentKit

/// How well the nearest other rows of a row are of its class, in Euclidean distance (Musgrave, Belongie & Lim 2020).
///
/// With `R` other rows of the class of a query and the precision `P(i)` among its `i` nearest rows,
///
/// - MAP@R is `1/R Σ P(i)` over those `i` up to `R` whose row is of the class,
/// - R-precision is the precision among the `R` nearest,
/// - precision at 1 is the share of queries whose nearest row is of the class,
///
/// each a mean over queries. A row whose class has no other is no query, and is found by others. Exact; distances are made some
/// rows at a time. Equal distances keep the rows' order.
public struct Retrieval: Sendable, Equatable {
  /// MAP@R, 0 to 1.
  public let meanAveragePrecision: Double
  /// R-precision, 0 to 1.
  public let precisionAtR: Double
  /// Precision at 1, 0 to 1.
  public let precisionAtOne: Double
  /// The number of queries.
  public let queries: Int

  /// - Parameters:
  ///   - rows: `[count, dimensions]`, finite.
  ///   - labels: `[count]`, Int64.
  /// - Throws: `TensorError` for other shapes, values that are not finite, and where no two rows are of a class.
  public init(of rows: Tensor, labels: Tensor) throws {
    func refuse(_ reason: String) -> TensorError {
      TensorError("retrieval", shapes: [rows.shape, labels.shape], reason: reason)
    }
    guard rows.rank == 2, labels.shape == [rows.shape[0]], rows.shape[0] > 1, try rows.isFinite().all() else {
      throw refuse("expected finite rows [count, dimensions], two or more, and labels [count]")
    }
    let rows = try rows.detached().to(.float64, .cpu)
    let labels = try labels.to(.int64, .cpu)
    let count = rows.shape[0]
    let members = try labels.ints().reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
    let others = try labels.ints().map { Double(members[$0]! - 1) }
    let places = try Tensor.range(1, count, dtype: .float64)
    var (average, atR, first) = (0.0, 0.0, 0.0)
    for start in stride(from: 0, to: count, by: 500) {
      let part = start..<min(start + 500, count)
      let known = try Tensor(Array(others[part]), shape: [part.count, 1])
      let own =
        try Tensor.range(part.lowerBound, part.upperBound).unsqueezed(1) .== Tensor.range(0, count).unsqueezed(0)
      let distances = try rows.slice(part).distances(to: rows).filled(with: .infinity, where: own)
      // The row itself comes last.
      let order = try distances.sorted(axis: 1).indices.slice(0..<(count - 1), axis: 1)
      let found = try labels.rows(order.reshaped([-1])).reshaped(order.shape)
      let isOfClass = try (found .== labels.slice(part).unsqueezed(1)).to(.float64)
      let counted = try isOfClass * (places.unsqueezed(0) .<= known).to(.float64)
      let precision = try isOfClass.cumulativeSum(axis: 1) / places
      let isQuery = try (known.squeezed(1) .> 0).to(.float64)
      let divisor = try known.squeezed(1).clamped(1)
      average += try ((precision * counted).sum(axis: 1) / divisor * isQuery).sum().item()
      atR += try (counted.sum(axis: 1) / divisor * isQuery).sum().item()
      first += try (isOfClass.select(0, axis: 1) * isQuery).sum().item()
    }
    queries = others.count { $0 > 0 }
    guard queries > 0 else { throw refuse("no two rows are of one class") }
    meanAveragePrecision = average / Double(queries)
    precisionAtR = atR / Double(queries)
    precisionAtOne = first / Double(queries)
  }
}
