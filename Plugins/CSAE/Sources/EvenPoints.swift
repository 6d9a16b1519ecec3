import LatentKit

/// Points spread over the unit sphere as evenly as can be (Zhu & Zhang 2019, section 3.1), in Float64 on the CPU.
public enum EvenPoints {
  /// ImageNet's 21,841 classes, and some room. An iteration of Algorithm 1 looks at all pairs of points.
  public static let mostPoints = 25_000
  /// Points times dimensions: 128 MiB in Float64, of which there are several copies.
  public static let mostValues = 1 << 24

  /// The regular simplex: any two of its points have the cosine `−1/(count − 1)`, and no points are further apart.
  ///
  /// The simplex is turned by a random rotation, so that no latent dimension is special; it is exact to rounding.
  ///
  /// - Parameters:
  ///   - count: 1 to `dimensions + 1`, and to `mostPoints`.
  ///   - dimensions: 1 or more; `count * dimensions` up to `mostValues`.
  /// - Returns: `[count, dimensions]`.
  /// - Throws: `RecipeError` for numbers out of these ranges.
  public static func simplex(_ count: Int, dimensions: Int, using generator: inout Generator) throws -> Tensor {
    try check(count, dimensions: dimensions)
    guard count <= dimensions + 1 else {
      throw RecipeError(
        """
        found \(count) points in \(dimensions) dimensions, expected up to \(dimensions + 1) on a regular simplex; take \
        more dimensions, or charges
        """)
    }
    guard count > 1 else { return try onSphere(generator.normal([1, dimensions], dtype: .float64).to(.cpu)) }
    // Unit vectors less their mean are a simplex across the diagonal of `count` dimensions; Helmert's basis of what is
    // orthogonal to the diagonal takes it to count − 1 dimensions, and orthonormal columns take it to the latent space.
    let axes = try orthonormalColumns(generator.normal([dimensions, count - 1], dtype: .float64).to(.cpu))
    return try onSphere(helmert(count).matmul(axes.transposed()))
  }

  /// Whether so many points can be placed in reasonable time and memory.
  ///
  /// - Throws: `RecipeError` for less than one point or dimension, and beyond `mostPoints` and `mostValues`.
  public static func check(_ count: Int, dimensions: Int) throws {
    guard count >= 1, dimensions >= 1 else {
      throw RecipeError("found \(count) points in \(dimensions) dimensions, expected 1 or more of each")
    }
    guard count <= mostPoints else {
      throw RecipeError("found \(count) points to place evenly, expected up to \(mostPoints); take fewer classes")
    }
    guard dimensions <= mostValues / count else {
      throw RecipeError(
        """
        found \(count) points in \(dimensions) dimensions to place evenly, expected up to \(mostValues / count) \
        dimensions for so many; take fewer classes, or a smaller latent space
        """)
    }
  }

  /// Column `k` of `[count, count - 1]` is `(1, …, 1, −k, 0, …, 0) / sqrt(k (k + 1))`, with `k` ones.
  private static func helmert(_ count: Int) throws -> Tensor {
    let columns = try Tensor.range(1, count, dtype: .float64)
    let rows = try Tensor.range(0, count, dtype: .float64).unsqueezed(1)
    let values = try (rows .< columns).to(.float64) - (rows .== columns).to(.float64) * columns
    return try values / (columns * (columns + 1)).sqrt()
  }

  static func onSphere(_ points: Tensor) throws -> Tensor {
    try points / points.square().sum(axis: 1, keep: true).sqrt()
  }

  /// Columns made orthonormal by their Cholesky factor: twice, since the first pass leaves rounding.
  private static func orthonormalColumns(_ columns: Tensor) throws -> Tensor {
    try (0..<2).reduce(columns) { columns, _ in
      let factor = try columns.transposed().matmul(columns).cholesky()
      return try factor.solveTriangular(columns.transposed()).transposed()
    }
  }
}
