import LatentKit

/// A loss that a foreign function computes with its gradients, one value for each example.
struct ForeignLoss: Loss {
  private let name: String
  private let function: ForeignFunction
  private let settings: [String: Binding]
  private let title: String
  private let classCount: Int?
  private var signature: Signature { function.signature }

  init(_ name: String, _ terms: ForeignFunction, _ values: SettingValues, _ context: BuildContext) throws {
    (self.name, function, title) = (name, terms, context.title)
    settings = try function.settings(values, of: context.title)
    let isOfClasses = ["labels", "classes"].contains(where: terms.signature.takes)
    classCount = isOfClasses ? try context.requireClasses() : nil
  }

  var precision: DType { signature.precision }
  var needs: DataNeeds { signature.takes("labels") ? .labels : [] }

  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let inputs = forward.inputs
    let rows = try inputs.size(0)
    let size = inputs.shape.dropFirst().reduce(1, *)
    var bindings = settings
    bindings["rows"] = .whole(rows)
    bindings["size"] = .whole(size)
    bindings["latent"] = .whole(forward.model.encoder.latentSize)
    bindings["classes"] = classCount.map { .whole($0) }
    func hand(_ name: String, _ values: @autoclosure () throws -> Tensor) throws -> Tensor? {
      guard let number = signature.numbers(of: name) else { return nil }
      let tensor = try values()
      let numbers = try tensor.detached().to(.cpu).contiguous().doubles()
      bindings[name] = .array(ForeignArray(number, numbers, rowSize: numbers.count / max(rows, 1)))
      return tensor
    }
    _ = try hand("inputs", inputs)
    if let number = signature.numbers(of: "labels") {
      let classes = try forward.labels.ints()
      if let wrong = classes.first(where: { !(0..<(classCount ?? 0)).contains($0) }) {
        throw RecipeError("\(title): found the class \(wrong), expected 0 to \((classCount ?? 0) - 1)")
      }
      bindings["labels"] = .array(try ForeignArray(number, classes))
    }
    let trained = [
      (try hand("reconstruction", forward.reconstruction), "reconstruction-gradients"),
      (try hand("latents", forward.latents), "latent-gradients"),
    ].compactMap { tensor, gradients in tensor.map { ($0, gradients) } }
    for (tensor, gradients) in trained {
      guard let number = signature.numbers(of: gradients) else { continue }
      guard tensor.shape.first == rows else {
        throw RecipeError("\(title): found a batch of \(tensor.shape), expected \(rows) rows")
      }
      bindings[gradients] = .array(ForeignArray(number, rows: rows, of: tensor.count / max(rows, 1)))
    }
    if let number = signature.numbers(of: "losses") {
      bindings["losses"] = .array(ForeignArray(number, rows: rows, of: 1))
    }
    let results = try function.call(bindings, times: signature.takes("rows") ? 1 : rows)
    func filled(_ name: String) throws -> [Double]? {
      guard case .array(let array)? = bindings[name] else { return nil }
      if let place = array.firstUnwritten {
        throw RecipeError(
          "\(title): \(function.title) left '\(name)' of row \(place / array.rowSize) unwritten, of \(rows) rows")
      }
      return array.reals
    }
    let numbers = try filled("losses") ?? results.map(\.real)
    if let row = numbers.firstIndex(where: \.isNaN), try trained.allSatisfy({ try $0.0.isFinite().all() }) {
      throw RecipeError("\(title): \(function.title) gave NaN for row \(row) of \(rows)")
    }
    let dtype = trained.first?.0.dtype ?? .float32
    var values = try Tensor(numbers).to(dtype).to(inputs.device)
    for (tensor, name) in trained where tensor.recordsGradients {
      let slopes = try Tensor(filled(name) ?? [], shape: tensor.shape).to(dtype).to(tensor.device)
      // The value once, and its gradient by each of the inputs.
      let zeros = try values.filled(with: 0)
      values = try values + zeros.withGradients(slopes, by: tensor)
    }
    return [.perExample(name, values)]
  }
}
