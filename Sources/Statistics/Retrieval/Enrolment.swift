import LatentKit

/// Classes that are known by a few latents each, enrolled after training, to each of which a centroid is given.
///
/// The first latents of each class, in some order, are enrolled; the others are to be classified by the nearest centroid.
public struct Enrolment: Sendable {
  /// The classes in ascending order.
  public let classes: [Int]
  /// The centroid of each, `[classes, latent]`.
  public let centroids: Tensor
  /// The rows that were enrolled of each class.
  public let enrolledRows: [[Int]]
  /// The rows that were not enrolled.
  public let probeRows: [Int]
  /// Their latents, `[count, latent]`.
  public let probes: Tensor
  /// The place of each probe's class in `classes`, `[count]` Int64.
  public let places: Tensor

  /// - Parameters:
  ///   - latents: `[count, latent]`.
  ///   - labels: `[count]`, Int64.
  ///   - examples: How many of each class are enrolled, 1 or more.
  ///   - order: The rows in the order in which they are enrolled, a permutation; nil for that in which they come.
  /// - Throws: `RecipeError` for a class with no more latents than that.
  public init(_ latents: Tensor, labels: Tensor, examples: Int, order: [Int]? = nil) throws {
    let all = try labels.ints()
    classes = Set(all).sorted()
    let place = Dictionary(uniqueKeysWithValues: zip(classes, classes.indices))
    var seen = [Int](repeating: 0, count: classes.count)
    var (enrolled, probes) = ([[Int]](repeating: [], count: classes.count), [Int]())
    for row in order ?? Array(all.indices) {
      let place = place[all[row]]!
      if seen[place] < examples { enrolled[place].append(row) } else { probes.append(row) }
      seen[place] += 1
    }
    if let short = seen.firstIndex(where: { $0 <= examples }) {
      throw RecipeError(
        "class \(classes[short]) has \(seen[short]) latents, expected more than the \(examples) that are enrolled; enrol fewer"
      )
    }
    (enrolledRows, probeRows) = (enrolled, probes)
    centroids = try .stack(enrolled.map { try latents.detached().rows($0).mean(axis: 0) })
    self.probes = try latents.detached().rows(probes)
    places = try Tensor(probes.map { Int64(place[all[$0]]!) }).to(latents.device)
  }

  /// Returns the place in `classes` of the centroid that is nearest to each probe.
  public func nearest() throws -> [Int] { try NearestMean(centroids).classes(of: probes).ints() }

  /// Returns the share of probes whose nearest enrolled centroid is that of their class, 0 to 1.
  ///
  /// - Parameter others: Centroids `[count, latent]` of classes of training that a probe may be taken for; nil for none.
  public func accuracy(beside others: Tensor? = nil) throws -> Double {
    let all =
      try others.map { try Tensor.concatenate([centroids, $0.to(centroids.dtype, centroids.device)]) } ?? centroids
    return try NearestMean(all).accuracy(probes, labels: places)
  }
}
