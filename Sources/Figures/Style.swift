import Foundation

/// The style of all figures.
enum Style {
  static let font = "sans-serif"
  /// Sizes of text in pixels.
  static let textSize = 12.0
  static let titleSize = 14.0
  static let smallSize = 11.0
  /// From one line of text to the next.
  static func lineHeight(_ size: Double) -> Double { (size * 1.4).rounded() }

  static let ink = "#262626"
  static let faint = "#6b6b6b"
  static let grid = "#e4e4e4"
  static let background = "#c8c8c8"
  static let frame = "#555555"

  /// Ten colours that colour-blind readers can distinguish: Okabe & Ito 2008 without black and yellow, a grey, and three of
  /// Tol's muted scheme.
  static let colors = [
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#882255", "#999933", "#332288",
  ]

  /// gnuplot's numbers of a filled circle, square, triangle and diamond.
  private static let marks = [7, 5, 9, 13]

  /// gnuplot's number of a cross.
  static let cross = 2

  /// The colour and mark of the quantity or class at an index, in all panels and in the legend. The first 40 differ.
  static func look(_ index: Int) -> (color: String, mark: Int) {
    (colors[index % colors.count], marks[(index + index / colors.count) % marks.count])
  }

  /// From almost white to dark blue, of evenly falling lightness.
  static let palette =
    "set palette defined (0 '#f6f9fc', 1 '#cddeee', 2 '#8fbbdb', 3 '#4a8ec1', 4 '#185b9b', 5 '#0a2a5e')"

  /// The first commands of a panel with axes.
  static let axes = [
    "set border 3 lw 1 lc rgb '\(frame)'",
    "set tics nomirror out scale 0.6 textcolor rgb '\(ink)' font ',\(smallSize)'",
    "set grid lc rgb '\(grid)' lt 1 lw 1", "set format '%g'", "unset key",
  ]
}
