import LatentKit

extension Examples {
  /// Returns an order of one epoch in which `share` of each batch has a label, `[count]` Int64; nil where labels are not
  /// hidden, or none is.
  ///
  /// An epoch has as many batches as without a share. Labelled and unlabelled examples are two streams: each is gone through
  /// in a random order, and anew in another one as often as the epoch needs. So of many unlabelled examples an epoch takes a
  /// random part, and it repeats few labelled ones. Each pass over the labelled ones has the classes evenly from its beginning.
  ///
  /// - Parameters:
  ///   - share: Above 0, up to 1; a batch of `n` has `share * n` labelled examples, rounded, and at least one.
  ///   - batch: The number of examples in a batch, 1 or more; the last one of an epoch may be smaller.
  public func order(labelledShare share: Double, batch: Int, using generator: inout Generator) throws -> Tensor? {
    guard let mask = try isLabelled?.ints() else { return nil }
    let labels = try labels?.ints()
    var known = Stream(mask.indices.filter { mask[$0] == 1 })
    var hidden = Stream(mask.indices.filter { mask[$0] == 0 })
    guard !known.positions.isEmpty, !hidden.positions.isEmpty else { return nil }
    var order: [Int64] = []
    order.reserveCapacity(count)
    for start in stride(from: 0, to: count, by: batch) {
      let size = min(batch, count - start)
      let labelled = min(size, max(1, Int((share * Double(size)).rounded())))
      for _ in 0..<labelled {
        try order.append(Int64(known.next { try Self.order(of: $0, by: labels, evenly: true, using: &generator) }))
      }
      for _ in labelled..<size {
        try order.append(
          Int64(hidden.next { try Self.order(of: $0, by: nil, evenly: false, using: &generator) }))
      }
    }
    return try Tensor(order)
  }

  /// Positions that are gone through again and again, each time in another order.
  private struct Stream {
    let positions: [Int]
    private var order: ArraySlice<Int> = []
    init(_ positions: [Int]) { self.positions = positions }

    mutating func next(_ shuffled: ([Int]) throws -> [Int]) rethrows -> Int {
      if order.isEmpty { order = try shuffled(positions)[...] }
      return order.removeFirst()
    }
  }
}
