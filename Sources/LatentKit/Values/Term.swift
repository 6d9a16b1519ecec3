/// One named part of a loss.
///
/// A term that is a mean or a sum over examples gives its value for each, so that masks and weights can choose
/// among them: `.perExample("kl", values)`. Where one operation over the whole batch is faster, it comes along:
/// `.perExample("mse", whole: mean) { values }`; it is used where nothing masks or weighs, and must be what the values
/// reduce to. A term that is no sum over examples, a difference of batch means say, is `.batch("sobel", value)`; masks and
/// weights cannot apply to it.
public struct Term {
  /// The reduction of per-example values to one number.
  public enum Reduction: Sendable { case mean, sum }

  /// The examples that a term covers.
  public enum Selection: Sendable {
    /// All of the batch.
    case all
    /// Those that have a label.
    case labelled
  }

  /// The name of the term.
  public let name: String
  /// The reduction over examples.
  public let reduction: Reduction
  /// Nil for the framework's choice: those with a label, where the loss read the labels; else all.
  public let selection: Selection?
  private let whole: Tensor?
  private let each: (() throws -> Tensor)?

  private init(
    name: String, reduction: Reduction = .mean, selection: Selection? = nil, whole: Tensor?,
    each: (() throws -> Tensor)?
  ) {
    (self.name, self.reduction, self.selection, self.whole, self.each) = (name, reduction, selection, whole, each)
  }

  /// Returns a term with one value for each example.
  ///
  /// - Parameters:
  ///   - values: `[batch]`.
  ///   - selection: Which examples the term is about; nil: those with a label if the loss read the labels, else all.
  public static func perExample(
    _ name: String, _ values: Tensor, _ reduction: Reduction = .mean, over selection: Selection? = nil
  ) -> Term {
    Term(name: name, reduction: reduction, selection: selection, whole: nil) { values }
  }

  /// Returns a term with one value for each example, and a faster value of the whole batch.
  ///
  /// - Parameters:
  ///   - whole: What `values` reduce to over all examples, a scalar.
  ///   - values: `[batch]`; computed only where something masks or weighs.
  public static func perExample(
    _ name: String, whole: Tensor, _ reduction: Reduction = .mean, over selection: Selection? = nil,
    values: @escaping () throws -> Tensor
  ) -> Term {
    Term(name: name, reduction: reduction, selection: selection, whole: whole, each: values)
  }

  /// Returns a scalar term that is no mean and no sum over examples.
  public static func batch(_ name: String, _ value: Tensor) -> Term { Term(name: name, whole: value, each: nil) }

  /// Whether masks and weights can apply.
  public var isPerExample: Bool { each != nil }

  /// The value over all examples, a scalar.
  public var value: Tensor {
    get throws {
      if let whole { return whole }
      return reduction == .mean ? try values().mean() : try values().sum()
    }
  }

  /// Returns the value for each example, `[batch]`.
  /// - Throws: `RecipeError` where the term has none.
  public func values() throws -> Tensor {
    guard let each else {
      throw RecipeError("term '\(name)' has no value for each example, as its loss made it by Term.batch")
    }
    let values = try each()
    guard values.rank == 1 else {
      throw RecipeError("term '\(name)' has the shape \(values.shape), expected one value for each example, [batch]")
    }
    return values
  }

  /// Returns the weighted mean `Σ w l / Σ w`, or the sum `Σ w l`, over the selected examples; 0 where none is selected.
  ///
  /// - Parameters:
  ///   - mask: `[batch]` Bool, or nil for all.
  ///   - weights: `[batch]`, 0 or more, or nil for 1 each.
  /// - Returns: The value, and what it stands for when batches are averaged: `Σ w`; nil where that is the batch's size.
  public func value(mask: Tensor?, weights: Tensor?) throws -> (value: Tensor, share: Tensor?) {
    guard mask != nil || weights != nil else { return (try value, nil) }
    var values = try values()
    var total = try weights?.to(values.dtype) ?? Tensor.ones(values.shape, dtype: values.dtype, device: values.device)
    if let mask {
      // What stands at hidden examples may be anything, NaN included: it is chosen away, not multiplied by 0.
      let zero = try Tensor.zeros(values.shape, dtype: values.dtype, device: values.device)
      values = try mask.choose(values, zero)
      total = try mask.choose(total, zero)
    }
    let sum = try (values * total).sum()
    guard reduction == .mean else { return (sum, nil) }
    let norm = try total.sum()
    return (try sum / (norm + (norm .== 0).to(norm.dtype)), norm)
  }
}
