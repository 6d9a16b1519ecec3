import Foundation

/// The total loss, its terms and the metrics over epochs, for training and validation.
///
/// Each quantity has its own panel and axis, since the terms of a loss may differ by any factor.
public struct LossCurves: Figure {
  /// One quantity over epochs. Either list may be empty.
  public struct Curve: Sendable {
    /// The title of the panel.
    public var name: String
    /// Values on the training part.
    public var training: [(epoch: Double, value: Double)]
    /// Values on the validation part.
    public var validation: [(epoch: Double, value: Double)]

    /// Creates a curve.
    public init(
      _ name: String, training: [(epoch: Double, value: Double)] = [], validation: [(epoch: Double, value: Double)] = []
    ) {
      (self.name, self.training, self.validation) = (name, training, validation)
    }
  }

  /// The losses that are minimised; several if steps alternate.
  public var total: [Curve]
  /// The terms of the losses.
  public var terms: [Curve]
  /// The metrics of the validation part.
  public var metrics: [Curve]

  /// Creates the figure of these curves.
  public init(total: [Curve], terms: [Curve] = [], metrics: [Curve] = []) {
    (self.total, self.terms, self.metrics) = (total, terms, metrics)
  }

  /// One panel for each curve that has values: the total losses, then the terms, then the metrics. The axis of a loss is
  /// logarithmic if all values are positive and the largest is more than 30 times the smallest; that of a metric is linear.
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
  /// - Throws: As `LinePlot.write`; `FigureError` also if there is nothing to plot.
  public func write(to url: URL) throws {
    let panels = panels
    guard !panels.isEmpty else { throw FigureError("there are no curves to plot yet; train for at least one epoch") }
    try LinePlot.write(panels, to: url)
  }
}
