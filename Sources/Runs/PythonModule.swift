import Foundation
import LatentKit
import Recipes

/// A part as a PyTorch module: a Python file that loads `weights.safetensors` and repeats the part's operations.
struct PythonModule {
  /// The file's text.
  let text: String

  /// Records the operations of a part.
  ///
  /// - Parameters:
  ///   - weights: The part's tensors by their names in `weights.safetensors`.
  ///   - origin: The run, for the file's first lines.
  /// - Throws: `TensorError` for a part whose operations cannot be written down.
  init(
    _ part: SharedPart, _ function: PartFunction, weights: [(name: String, tensor: Tensor)],
    _ preparation: PythonPreparation, device: Device, origin: String
  ) throws {
    let names = part.takes.map(\.name)
    let program = try withoutGradients {
      try TensorProgram(
        weights: weights.map { ("w[\(Self.quoted($0.name))]", $0.tensor) },
        inputs: { size in
          try zip(names, function.inputs(of: size)).map { ($0, try $1.to(device)) }
        }, function.call)
    }
    let type = part.slot.prefix(1).uppercased() + part.slot.dropFirst()
    func listed(_ values: [SharedPart.Named]) -> String {
      values.map { value in
        let axes = value.shape.enumerated().map { $0 == 0 && $1 == 0 ? "batch" : "\($1)" }
        return "\(value.name) [\(axes.joined(separator: ", "))]"
      }.joined(separator: ", ")
    }
    let range = part.inputs.range.map { " Inputs lie in \($0)." } ?? ""
    let trained = part.weights.filter { $0.role == Parameter.Role.weight.rawValue }.map {
      "    \(Self.quoted($0.name)),\n"
    }
    let statements = (program.usesBatch ? ["batch = \(names[0]).shape[0]"] : []) + program.statements
    let result = program.results.joined(separator: ", ")
    text = """
      \"""\(type) '\(part.use)' of LatentKit's plugin \(part.plugin), trained in run \(origin.shown().replacing("\"", with: "'")).

      Takes \(listed(part.takes)); makes \(listed(part.makes)).\(range) It computes as in evaluation.
      \(preparation.note)
          from part import \(([type] + preparation.names).joined(separator: ", "))
          module = \(type)()  # the weights in weights.safetensors, beside this file
      \(preparation.call.map { "    \($0)\n" } ?? "")\
          \(part.makes.map(\.name).joined(separator: ", ")) = module(\(names.joined(separator: ", ")))

      `python part.py` compares what it makes of examples.safetensors with what LatentKit made. It needs torch and safetensors.
      \"""

      \(preparation.readsColumns ? "import json\n" : "")\
      import pathlib

      import torch
      from safetensors.torch import load_file

      HERE = pathlib.Path(__file__).resolve().parent
      aten = torch.ops.aten

      # The tensors that are trained by gradients; the others are buffers.
      TRAINED = {
      \(trained.joined())}
      \(preparation.code)

      class \(type)(torch.nn.Module):
          def __init__(self, weights=HERE / "weights.safetensors"):
              super().__init__()
              for name, tensor in load_file(str(weights)).items():
                  *path, leaf = name.split(".")
                  module = self
                  for step in path:
                      if step not in module._modules:
                          module.add_module(step, torch.nn.Module())
                      module = module._modules[step]
                  if name in TRAINED:
                      module.register_parameter(leaf, torch.nn.Parameter(tensor))
                  else:
                      module.register_buffer(leaf, tensor)

          def forward(self, \(names.joined(separator: ", "))):
              w = {**dict(self.named_parameters()), **dict(self.named_buffers())}
      \(statements.map { "        \($0)\n" }.joined())        return \(result)


      if __name__ == "__main__":
          examples = load_file(str(HERE / "examples.safetensors"))
          with torch.no_grad():
              made = \(type)()(\(names.map { "examples[\"\($0)\"]" }.joined(separator: ", ")))
          made = made if isinstance(made, tuple) else (made,)
          worst = 0.0
          for name, found in zip(\(part.makes.map(\.name)), made, strict=True):
              expected = examples[name]
              scale = max(1.0, expected.abs().max().item())
              worst = max(worst, (found - expected).abs().max().item() / scale)
          print(f"largest difference {worst:.1e}, allowed 1e-5")
          raise SystemExit(not worst <= 1e-5)

      """
  }

  static func quoted(_ name: String) -> String {
    "\"\(name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
  }
}
