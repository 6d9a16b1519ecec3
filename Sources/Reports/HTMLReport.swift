import Files
import Foundation

/// An HTML page about one run or study: tables, figures and the recipe. It needs no network.
///
/// All text is shown literally, never as markup.
public struct HTMLReport: Sendable {
  /// Named values below a heading: a summary, measurements, diagnostics.
  public struct Table: Sendable {
    /// A named value.
    public struct Row: Sendable {
      /// The name of the value.
      public var name: String
      /// The value as text, with its unit.
      public var value: String
      /// A remark, such as a number to compare with; may be empty.
      public var note: String

      /// Creates a row.
      public init(_ name: String, _ value: String, note: String = "") {
        (self.name, self.value, self.note) = (name, value, note)
      }
    }

    /// The heading.
    public var title: String
    /// The values; a table without any is left out of the page.
    public var rows: [Row]

    /// Creates a table.
    public init(_ title: String, _ rows: [Row]) { (self.title, self.rows) = (title, rows) }
  }

  /// Rows and columns below a heading, of which a page shows the first.
  public struct Grid: Sendable {
    /// The heading.
    public var title: String
    /// The names of the columns, that of the rows' names first.
    public var head: [String]
    /// The cells, row by row, each row's name first.
    public var rows: [[String]]
    /// Where all of it is: `tables/scores.csv`; named where the page shows only some.
    public var path: String

    /// The most rows, and the most columns, that a page shows.
    public static let limit = (rows: 50, columns: 16)

    /// Creates a grid.
    public init(_ title: String, head: [String], rows: [[String]], path: String) {
      (self.title, self.head, self.rows, self.path) = (title, head, rows, path)
    }
  }

  /// An image with a caption.
  public struct Figure: Sendable {
    /// The path of the image relative to the page: `figures/samples.png`.
    public var path: String
    /// The text below the image.
    public var caption: String

    /// Creates a figure.
    public init(_ path: String, caption: String) { (self.path, self.caption) = (path, caption) }
  }

  /// The title of the page.
  public var title: String
  /// A line below the title; may be empty.
  public var subtitle: String
  /// The first table: data, sizes, time.
  public var summary: [Table.Row]
  /// Metrics and losses.
  public var measurements: [Table.Row]
  /// Tables that metrics returned.
  public var grids: [Grid]
  /// Warnings and diagnostics of samplers and weights.
  public var diagnostics: [Table.Row]
  /// The images.
  public var figures: [Figure]
  /// The text of the resolved recipe; may be empty.
  public var recipe: String

  /// Creates a page; sections that are empty are left out.
  public init(
    title: String, subtitle: String = "", summary: [Table.Row] = [], measurements: [Table.Row] = [],
    grids: [Grid] = [], diagnostics: [Table.Row] = [], figures: [Figure] = [], recipe: String = ""
  ) {
    (self.title, self.subtitle, self.summary) = (title, subtitle, summary)
    (self.measurements, self.diagnostics, self.figures) = (measurements, diagnostics, figures)
    (self.grids, self.recipe) = (grids, recipe)
  }
}

extension HTMLReport {
  /// Writes the page atomically.
  ///
  /// - Throws: `FileError` if the file cannot be written.
  public func write(to url: URL) throws { try AtomicFile.write(html, to: url) }

  /// The text of the page.
  public var html: String {
    let sections =
      [
        section(Table("Summary", summary)), section(Table("Measurements", measurements)),
        grids.map(section).joined(separator: "\n"), figureSection,
        section(Table("Diagnostics", diagnostics)), recipeSection,
      ]
      .filter { !$0.isEmpty }.joined(separator: "\n")
    let lead = subtitle.isEmpty ? "" : "\n<p class=\"lead\">\(escaped(subtitle))</p>"
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(escaped(title))</title>
      <style>
      \(HTMLReport.style)
      </style>
      </head>
      <body>
      <header>
      <h1>\(escaped(title))</h1>\(lead)
      </header>
      \(sections)
      </body>
      </html>

      """
  }

  private func section(_ table: Table) -> String {
    guard !table.rows.isEmpty else { return "" }
    let hasNotes = table.rows.contains { !$0.note.isEmpty }
    let rows = table.rows.map { row in
      let note = hasNotes ? "<td class=\"note\">\(escaped(row.note))</td>" : ""
      return "<tr><th scope=\"row\">\(escaped(row.name))</th><td>\(escaped(row.value))</td>\(note)</tr>"
    }
    return """
      <section>
      <h2>\(escaped(table.title))</h2>
      <table>
      \(rows.joined(separator: "\n"))
      </table>
      </section>
      """
  }

  private func section(_ grid: Grid) -> String {
    let (rows, columns) = (grid.rows.prefix(Grid.limit.rows), Grid.limit.columns)
    func line(_ cells: [String], head: Bool) -> String {
      let texts = cells.prefix(columns).enumerated().map { column, text in
        head || column == 0
          ? "<th scope=\"\(head ? "col" : "row")\">\(escaped(text))</th>" : "<td>\(escaped(text))</td>"
      }
      return "<tr>\(texts.joined())</tr>"
    }
    let cuts = [
      rows.count < grid.rows.count ? "\(rows.count) of \(grid.rows.count) rows" : nil,
      columns < grid.head.count ? "\(columns - 1) of \(grid.head.count - 1) columns" : nil,
    ].compactMap { $0 }
    let note =
      cuts.isEmpty
      ? "" : "\n<p class=\"note\">\(escaped("\(cuts.joined(separator: ", ")); all are in \(grid.path)"))</p>"
    return """
      <section>
      <h2>\(escaped(grid.title))</h2>
      <table class="grid">
      \(([line(grid.head, head: true)] + rows.map { line($0, head: false) }).joined(separator: "\n"))
      </table>\(note)
      </section>
      """
  }

  private var figureSection: String {
    guard !figures.isEmpty else { return "" }
    let items = figures.map { figure in
      // A colon in a path could read as the end of a scheme, so that the path starts with "./".
      let path = figure.path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? figure.path
      return """
        <figure>
        <img src="./\(escaped(path))" alt="\(escaped(figure.caption))">
        <figcaption>\(escaped(figure.caption))</figcaption>
        </figure>
        """
    }
    return """
      <section>
      <h2>Figures</h2>
      \(items.joined(separator: "\n"))
      </section>
      """
  }

  private var recipeSection: String {
    guard !recipe.isEmpty else { return "" }
    return """
      <section>
      <h2>Recipe</h2>
      <pre><code>\(escaped(recipe))</code></pre>
      </section>
      """
  }

  private static let style = """
    :root { --ink: #1f2328; --soft: #656d76; --line: #d8dee4; --paper: #ffffff; --card: #f6f8fa; }
    @media (prefers-color-scheme: dark) {
      :root { --ink: #e6edf3; --soft: #9198a1; --line: #30363d; --paper: #0d1117; --card: #161b22; }
    }
    * { box-sizing: border-box; }
    body { max-width: 64rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; color: var(--ink); background: var(--paper);
      font: 1rem/1.5 system-ui, sans-serif; }
    h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; }
    h2 { margin: 2.5rem 0 .75rem; font-size: 1.15rem; }
    .lead { margin: .4rem 0 0; color: var(--soft); }
    table { border-collapse: collapse; width: 100%; }
    th, td { padding: .4rem 1rem .4rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
    th { width: 16rem; font-weight: 500; color: var(--soft); }
    .grid th { width: auto; }
    td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
    .note { color: var(--soft); }
    figure { margin: 0 0 1.75rem; }
    figure img { display: block; max-width: 100%; height: auto; background: #ffffff; border: 1px solid var(--line);
      border-radius: 6px; }
    figcaption { margin-top: .5rem; color: var(--soft); }
    pre { margin: 0; padding: 1rem; overflow-x: auto; background: var(--card); border: 1px solid var(--line);
      border-radius: 6px; font: .875rem/1.5 ui-monospace, monospace; }
    """
}

private func escaped(_ text: String) -> String {
  // By scalars: "<" with a combining accent is one Character, in which a browser still sees "<".
  text.unicodeScalars.map { scalar in
    switch scalar {
    case "&": "&amp;"
    case "<": "&lt;"
    case ">": "&gt;"
    case "\"": "&quot;"
    case "'": "&#39;"
    default: String(scalar)
    }
  }
  .joined()
}
