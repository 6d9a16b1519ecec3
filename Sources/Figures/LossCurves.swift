import Foundation

/// How training went: the total loss, its terms and the metrics over epochs, for training and validation.
public struct LossCurves: Sendable {
  /// One quantity over epochs. Either list may be empty.
  public struct Curve: Sendable {
    public var name: String
    public var training: [(epoch: Double, value: Double)]
    public var validation: [(epoch: Double, value: Double)]

    public init(
      _ name: String, training: [(epoch: Double, value: Double)] = [], validation: [(epoch: Double, value: Double)] = []
    ) {
      (self.name, self.training, self.validation) = (name, training, validation)
    }
  }

  public var total: [Curve]
  public var terms: [Curve]
  public var metrics: [Curve]

  /// - Parameter total: The loss that is minimised; several where steps alternate.
  public init(total: [Curve], terms: [Curve] = [], metrics: [Curve] = []) {
    (self.total, self.terms, self.metrics) = (total, terms, metrics)
  }

  /// One panel for each group that has curves. An axis is logarithmic where all its values are positive and the largest
  /// is more than 30 times the smallest; that of the metrics never is.
  public var panels: [LinePlot] {
    [("total loss", "loss", total), ("terms of the loss", "value", terms), ("metrics", "value", metrics)]
      .filter { _, _, curves in curves.contains { !$0.training.isEmpty || !$0.validation.isEmpty } }
      .map { title, yLabel, curves in
        let values = curves.flatMap { $0.training.map(\.value) + $0.validation.map(\.value) }.filter(\.isFinite)
        let (low, high) = (values.min() ?? 1, values.max() ?? 1)
        let hasCompanions = curves.contains { !$0.training.isEmpty && !$0.validation.isEmpty }
        return LinePlot(
          title: title + (hasCompanions ? " (dashed: validation)" : ""), xLabel: "epoch", yLabel: yLabel,
          series: curves.flatMap(LossCurves.series),
          logY: title != "metrics" && low > 0 && high > 30 * low)
      }
  }

  /// Draws the panels into one PNG file.
  ///
  /// - Throws: As `LinePlot.write`: `FigureError` where there is nothing to plot or gnuplot is missing.
  public func write(to url: URL) throws {
    let panels = panels
    guard !panels.isEmpty else { throw FigureError("there are no curves to plot yet; train for at least one epoch") }
    try LinePlot.write(panels, to: url, columns: panels.count)
  }

  private static func series(of curve: Curve) -> [LinePlot.Series] {
    var series: [LinePlot.Series] = []
    if !curve.training.isEmpty {
      series.append(.init(curve.name, curve.training.map { (x: $0.epoch, y: $0.value) }))
    }
    if !curve.validation.isEmpty {
      let points = curve.validation.map { (x: $0.epoch, y: $0.value) }
      series.append(
        curve.training.isEmpty
          ? .init("\(curve.name) (validation)", points) : .init("", points, isCompanion: true))
    }
    return series
  }
}
