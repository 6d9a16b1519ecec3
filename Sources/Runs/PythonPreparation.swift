import Foundation
import LatentKit
import Recipes

/// What a part's Python file says about the data of its model, and the function that prepares them as the run did.
struct PythonPreparation {
  /// Paragraphs of the file's description, after an empty line; empty where there is nothing to say.
  let note: String
  /// What the file defines beside the module, as it is imported.
  var names: [String] = []
  /// The call of the function in the file's example; nil without one.
  var call: String?
  /// The function's code; empty without one.
  var code = ""
  /// Whether the code reads the names of the columns.
  var readsColumns = false

  /// - Parameters:
  ///   - transforms: Those of rows of numbers, fitted, in order.
  ///   - fitted: What they were fitted to, by name in `preprocessing.safetensors`.
  init(of part: SharedPart, transforms: [any FittedTransform], fitted: [String: Tensor]) throws {
    let takesInputs = part.takes.contains { $0.name == "inputs" }
    let subject = takesInputs ? "Inputs" : "Outputs"
    guard takesInputs || part.makes.contains(where: { $0.name == "outputs" }) else {
      note = ""
      return
    }
    if part.inputs.shape.count == 3 {
      let images = Images(part.inputs)
      note = "\n\(subject) are \(images.note)\n"
      guard takesInputs, let code = images.code else { return }
      self.code = code
      (names, call) = (["prepare"], "inputs = prepare(pixels)  # bytes from 0 to 255, [batch, channels, height, width]")
      return
    }
    let rows = Rows(part)
    guard takesInputs else {
      note = rows.note(subject)
      return
    }
    do {
      code = try rows.code(transforms, fitted)
      readsColumns = part.inputs.columns != nil
      names = (readsColumns ? ["COLUMNS"] : []) + ["prepare"]
      call = "inputs = prepare(rows)  # [batch, \(part.inputs.shape[0])], as in the table"
      note = rows.note(subject)
    } catch let error as TensorError {
      note = rows.note(subject) + "\nThe file cannot repeat these transforms: \(pythonText("\(error)")).\n"
    }
  }
}

/// Text that stands in a description in triple quotes.
private func pythonText(_ text: String) -> String {
  text.shown().replacing("\\", with: "\\\\").replacing("\"", with: "'")
}

/// Rows of numbers.
private struct Rows {
  let count: Int
  let columns: [String]?
  let transforms: [SharedPart.Preprocessing.Transform]

  init(_ part: SharedPart) {
    (count, columns) = (part.inputs.shape[0], part.inputs.columns)
    transforms = part.preprocessing.transforms
  }

  /// The transforms with the settings that were chosen: `center, min-max {high: 1.0, low: 0.0}`.
  private var steps: String {
    transforms.map { pythonText($0.with.isEmpty ? $0.use : "\($0.use) \(Value.object($0.with).text)") }
      .joined(separator: ", then ")
  }

  func note(_ subject: String) -> String {
    var text = "\n\(subject) are rows of \(count) numbers"
    text += transforms.isEmpty ? ", as in the table.\n" : " after the transforms \(steps).\n"
    guard let columns else { return text }
    let most = 100
    var lines = [""]
    for (index, name) in columns.prefix(most).enumerated() {
      let item = "\(pythonText(name))\(index == columns.count - 1 ? "" : ",")"
      if !lines[lines.count - 1].isEmpty, lines[lines.count - 1].count + item.count > 100 { lines.append("") }
      lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + item
    }
    if columns.count > most { lines.append("and \(columns.count - most) more: inputs.columns of part.json has all") }
    return text + "The columns, in this order:\n\n" + lines.map { "    \($0)\n" }.joined()
  }

  /// - Throws: `TensorError` for a transform whose operations cannot be written down.
  func code(_ fittedTransforms: [any FittedTransform], _ fitted: [String: Tensor]) throws -> String {
    let weights = fitted.sorted { $0.key < $1.key }.map {
      (name: "p[\(PythonModule.quoted($0.key))]", tensor: $0.value)
    }
    let program = try withoutGradients {
      try TensorProgram(
        weights: weights,
        inputs: { size in
          var generator = try Generator(seed: UInt64(size), for: "rows of a recording")
          return [("rows", try generator.normal([size, count]))]
        }
      ) { given in [try fittedTransforms.reduce(given[0]) { try $1.apply($0) }] }
    }
    var lines = [
      "rows = torch.as_tensor(rows, dtype=torch.float32)",
      "if rows.ndim != 2 or rows.shape[1] != \(count):",
      "    raise ValueError(f\"found rows of shape {list(rows.shape)}, expected [batch, \(count)]\")",
    ]
    if !fitted.isEmpty {
      lines.append(
        "p = {name: values.to(rows.device) for name, values in load_file(str(HERE / \"preprocessing.safetensors\")).items()}"
      )
    }
    if program.usesBatch { lines.append("batch = rows.shape[0]") }
    lines += program.statements
    let result = program.results[0]
    lines += [
      "if not torch.isfinite(\(result)).all():",
      "    raise ValueError(\"found a value that is missing or not finite, expected finite ones\")", "return \(result)",
    ]
    let names =
      columns == nil
      ? ""
      : "\n# The columns of rows, in order.\nCOLUMNS = json.loads((HERE / \"part.json\").read_text(encoding=\"utf-8\"))[\"inputs\"][\"columns\"]\n"
    let what = transforms.isEmpty ? "checked" : "transformed by \(steps)"
    return """
      \(names)

      def prepare(rows):
          \"""Returns rows of the table, [batch, \(count)], as the module takes them: \(what).\"""
      \(lines.map { "    \($0)\n" }.joined())
      """
  }
}

/// Images as bytes that were padded and scaled.
private struct Images {
  let shape: [Int]
  let padding: Int
  let range: [Double]?

  init(_ inputs: SharedPart.Inputs) { (shape, padding, range) = (inputs.shape, inputs.padding, inputs.range) }

  /// `[channels, height, width]` before padding.
  private var stored: [Int] { [shape[0]] + shape.dropFirst().map { $0 - 2 * padding } }

  private func batch(_ shape: [Int]) -> String {
    "[batch, \(shape.map(String.init).joined(separator: ", "))]"
  }

  var note: String {
    let values = range.map { " with values from \($0[0]) to \($0[1])" } ?? ""
    let margin = padding == 0 ? "" : ", \(padding) pixels of 0 on each side"
    return "images \(batch(shape))\(values): bytes \(batch(stored)) from 0 to 255\(margin), then scaled."
  }

  /// Nil for images without a range.
  var code: String? {
    guard let range, range[0] < range[1] else { return nil }
    let floor = range[0] == 0 ? "" : range[0] < 0 ? " - \(-range[0])" : " + \(range[0])"
    var lines = [
      "pixels = torch.as_tensor(pixels, dtype=torch.float32)",
      "if list(pixels.shape[1:]) != \(stored):",
      "    raise ValueError(f\"found images of shape {list(pixels.shape)}, expected \(batch(stored))\")",
    ]
    if padding > 0 { lines.append("pixels = torch.nn.functional.pad(pixels, [\(padding)] * 4)") }
    lines.append("return pixels / \(255 / (range[1] - range[0]))\(floor)")
    return """


      def prepare(pixels):
          \"""Returns images of bytes from 0 to 255, \(batch(stored)), as the module takes them.\"""
      \(lines.map { "    \($0)\n" }.joined())
      """
  }
}
