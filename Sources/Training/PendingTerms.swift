import LatentKit

/// Loss terms whose values are not read yet: on a GPU, reading waits for the device.
struct PendingTerms {
  let stage: String
  let every: Int
  private var entries: [(name: String, value: Tensor, iteration: Int, epoch: Int)] = []
  private var open: [(name: String, value: Tensor)] = []
  private var iterations = 0

  init(stage: String, every: Int) { (self.stage, self.every) = (stage, every) }

  var isDue: Bool { iterations >= every }

  mutating func add(_ name: String, _ value: Tensor) { open.append((name, value)) }

  mutating func endIteration(at iteration: Int, epoch: Int) {
    entries += open.map { ($0.name, $0.value, iteration, epoch) }
    open = []
    iterations += 1
  }

  mutating func take() throws -> [(name: String, value: Double, iteration: Int, epoch: Int)] {
    guard !entries.isEmpty else { return [] }
    let values = try Tensor.stack(entries.map { try $0.value.to(.float64) }).doubles()
    defer { (entries, iterations) = ([], 0) }
    return zip(entries, values).map { ($0.name, $1, $0.iteration, $0.epoch) }
  }
}
