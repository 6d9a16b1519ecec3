import LatentKit

/// Why a part takes none of the models that the checks have.
///
/// An operation that libtorch refuses is rather the author's mistake than a model that does not fit, and is reported in
/// place of what the part refuses in words.
struct Refusals {
  private var failures: [(world: World, reason: String)] = []
  private var last: RecipeError?

  mutating func note(_ refusal: RecipeError) { last = refusal }

  /// Errors that differ are few: of rows, and of images of two sizes.
  mutating func note(_ error: TensorError, for world: World) {
    guard failures.count < 3, !failures.contains(where: { $0.reason == error.description }) else { return }
    failures.append((world, error.description))
  }

  func fault(of title: String) -> Fault {
    guard !failures.isEmpty else {
      return Fault("it takes none of the checks' models; the last refusal: \(last.map { "\($0)" } ?? "none")")
    }
    let reasons = failures.map { "for \($0.world), \($0.reason)" }.joined(separator: "; ")
    return Fault(
      "\(title) works with none of the checks' models: \(reasons)" + (last.map { "; others it refuses: \($0)" } ?? ""))
  }
}
