import Foundation

/// How training went: the total loss, its terms and the metrics over epochs, for training and validation.
///
/// Each quantity has a panel and an axis of its own, since terms of a loss may differ by any factor.
public struct LossCurves: Figure {
  /// One quantity over epochs. Either list may be empty.
  public struct Curve: Sendable {
    /// The name of the loss or metric.
    public var name: String
    /// The values on the training part, by epoch.
    public var training: [(epoch: Double, value: Double)]
    /// The values on the validation part, by epoch.
    public var validation: [(epoch: Double, value: Double)]

    /// Creates a value with these fields.
    public init(
      _ name: String, training: [(epoch: Double, value: Double)] = [], validation: [(epoch: Double, value: Double)] = []
    ) {
      (self.name, self.training, self.validation) = (name, training, validation)
    }
  }

  /// The weighted sums of all terms.
  public var total: [Curve]
  /// The terms by themselves.
  public var terms: [Curve]
  /// The metrics.
  public var metrics: [Curve]

  /// - Parameter total: The loss that is minimised; several where steps alternate.
  public init(total: [Curve], terms: [Curve] = [], metrics: [Curve] = []) {
    (self.total, self.terms, self.metrics) = (total, terms, metrics)
  }

  /// One panel for each curve that has values: the total losses, then the terms, then the metrics. An axis is logarithmic
  /// where all its values are positive and the largest is more than 30 times the smallest; that of a metric never is.
  public var panels: [LinePlot] {
    let curves = (total + terms).map { ($0, isLoss: true) } + metrics.map { ($0, isLoss: false) }
    return curves.filter { curve, _ in !curve.training.isEmpty || !curve.validation.isEmpty }.map { curve, isLoss in
      let values = (curve.training + curve.validation).map(\.value).filter(\.isFinite)
      let (low, high) = (values.min() ?? 1, values.max() ?? 1)
      let parts = [("training", curve.training), ("validation", curve.validation)]
      return LinePlot(
        title: curve.name, xLabel: "epoch", yLabel: "",
        series: parts.filter { !$0.1.isEmpty }.map { .init($0, $1.map { (x: $0.epoch, y: $0.value) }) },
        logY: isLoss && low > 0 && high > 30 * low)
    }
  }

  /// Writes the panels as PNG and SVG.
  ///
  /// - Throws: As `LinePlot.write`: `FigureError` where there is nothing to plot or gnuplot is missing.
  public func write(to url: URL) throws {
    let panels = panels
    guard !panels.isEmpty else { throw FigureError("there are no curves to plot yet; train for at least one epoch") }
    try LinePlot.write(panels, to: url)
  }
}
