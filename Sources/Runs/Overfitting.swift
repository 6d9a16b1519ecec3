import Training

/// A stage whose loss rose on the validation part while it went on falling on the training part.
struct Overfitting {
  private let stage: String
  /// The epoch of the lowest validation loss, and the last one.
  private let lowest: EpochRecord, last: EpochRecord

  /// The least rise that is more than the noise of small parts, as a share of the lowest loss.
  private static let rise = 0.02
  /// The least number of epochs since the lowest loss.
  private static let epochs = 3

  /// - Parameter records: The epochs of one stage. Nil where it does not overfit, and where it has several steps, whose totals
  ///   mean nothing together.
  init?(_ records: [EpochRecord]) {
    func total(_ record: EpochRecord) -> Double? { record.validation["total"] }
    let known = records.filter { total($0) != nil }
    guard let last = known.last, let lowest = known.min(by: { total($0)! < total($1)! }),
      last.epoch - lowest.epoch >= Overfitting.epochs, let least = total(lowest), let end = total(last),
      end - least > Overfitting.rise * abs(least), let before = lowest.training["total"],
      let after = last.training["total"], after < before
    else { return nil }
    (stage, self.lowest, self.last) = (last.stage, lowest, last)
  }

  /// One sentence with the numbers.
  ///
  /// - Parameter stops: Whether the stage has a `stop`, which chooses the epoch.
  func sentence(stops: Bool) -> String {
    func number(_ losses: [String: Double]) -> String { Training.number(losses["total"] ?? .nan) }
    return "stage '\(stage)' overfits: from epoch \(lowest.epoch) to \(last.epoch) the validation loss rose from "
      + "\(number(lowest.validation)) to \(number(last.validation)), while the training loss fell from "
      + "\(number(lowest.training)) to \(number(last.training))"
      + (stops ? "" : "; --set stages.\(stage).stop.patience=5 would take the weights of the best epoch")
  }
}

extension Session {
  /// A sentence for each stage that overfits.
  func overfitting(in records: [EpochRecord]) -> [String] {
    composition.stages.map(\.recipe).compactMap { stage in
      Overfitting(records.filter { $0.stage == stage.name })?.sentence(stops: stage.stop != nil)
    }
  }
}
