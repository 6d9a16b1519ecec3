import Foundation
import LatentKit

enum TransformChecks {
  static let all = [shapes, rows, restored, range, inverse, missing, settings]

  private static let world = World.rows

  private static func rows(_ count: Int, _ seed: UInt64, _ device: Device) throws -> Tensor {
    // Columns of different sizes, and one without spread.
    let scales = try Tensor([1, 10, 100, 0.1, 2, 0] as [Float]).to(device)
    return try world.batch(count, seed: seed, device: device).inputs * scales + 3
  }

  private static func check(
    _ name: String, _ fact: String,
    _ body: @escaping @Sendable (Subject<any Transform>, any Transform) throws -> Verdict
  ) -> Check {
    Check(.transform, name, fact) { part in
      let subject = try Subject(SlotKey.transform, part)
      return try body(subject, subject.make(in: world).part)
    }
  }

  private static var shapes: Check {
    check("shapes", "Rows keep their number and columns, stay finite, and the same rows are fitted alike each time.") {
      subject, transform in
      let training = try rows(20, subject.seed, subject.device)
      let before = try training.clone()
      let (fitted, again) = (try transform.fit(training), try transform.fit(training))
      try require(try sameBits([before], [training]), "a fit changes the training rows")
      for count in [1, 5] {
        let inputs = try rows(count, subject.seed + 1, subject.device)
        let copy = try inputs.clone()
        let outputs = try fitted.apply(inputs)
        try require(outputs.shape == inputs.shape, "rows \(inputs.shape) become \(outputs.shape)")
        try require(
          outputs.dtype == .float32 && outputs.device == subject.device,
          "rows become \(outputs.dtype) on \(outputs.device)")
        try require(try areFinite([outputs]), "transformed rows are not finite")
        try require(try sameBits([copy], [inputs]), "a transform changes the rows that it is given")
        try require(
          try sameBits([outputs], [again.apply(inputs)]), "the same training rows are fitted otherwise the second time")
      }
      for (name, values) in fitted.parameters {
        try require(
          values.shape == [6],
          "parameter '\(name)' has the shape \(values.shape), expected one value for each of 6 columns")
        try require(try areFinite([values]), "parameter '\(name)' is not finite")
      }
      return .passed
    }
  }

  private static var rows: Check {
    check("rows", "A transformed row does not depend on the rows beside it.") { subject, transform in
      let fitted = try transform.fit(rows(20, subject.seed, subject.device))
      let inputs = try rows(5, subject.seed + 1, subject.device)
      let together = try fitted.apply(inputs)
      for row in 0..<5 {
        try require(
          try agree(fitted.apply(inputs.slice(row..<row + 1)), together.slice(row..<row + 1), within: 1e-6),
          "row \(row + 1) of 5 is transformed otherwise alone: it learns from the rows that it is applied to")
      }
      return .passed
    }
  }

  private static var restored: Check {
    check("restored", "Restored from its parameters, a fitted transform does the same.") { subject, transform in
      let fitted = try transform.fit(rows(20, subject.seed, subject.device))
      let again = try transform.restore(FittedParameters(of: "the transform", fitted.parameters))
      let inputs = try rows(5, subject.seed + 1, subject.device)
      let outputs = try fitted.apply(inputs)
      try require(try sameBits([outputs], [again.apply(inputs)]), "restored, it transforms the same rows otherwise")
      try require(
        try sameBits([fitted.invert(outputs)], [again.invert(outputs)]), "restored, it inverts the same rows otherwise")
      try require(fitted.outputRange == again.outputRange, "restored, it states another range")
      return .passed
    }
  }

  private static var range: Check {
    check("range", "Outputs lie in the range that the transform states, of rows beyond the training part too.") {
      subject, transform in
      let fitted = try transform.fit(rows(20, subject.seed, subject.device))
      guard let range = fitted.outputRange else { return .skipped("it states no range") }
      let far = try rows(8, subject.seed + 1, subject.device) * 50 - 70
      let (least, most) = (try fitted.apply(far).min().item(), try fitted.apply(far).max().item())
      let slack = 1e-5 * max(1, abs(range.lowerBound), abs(range.upperBound))
      try require(
        least >= range.lowerBound - slack && most <= range.upperBound + slack,
        "outputs lie between \(short(least)) and \(short(most)), and the stated range is \(range)")
      return .passed
    }
  }

  private static var inverse: Check {
    check("inverse", "Inverted, transformed rows of the training part are what they were, approximately.") {
      subject, transform in
      let training = try rows(20, subject.seed, subject.device)
      let fitted = try transform.fit(training)
      let back = try fitted.invert(fitted.apply(training))
      try require(
        back.shape == training.shape, "inverted rows have the shape \(back.shape), expected \(training.shape)")
      try require(try areFinite([back]), "inverted rows are not finite")
      guard try agree(back, training, within: 1e-3) else {
        return .warning("inverted rows differ from the rows: the transform loses information")
      }
      return .passed
    }
  }

  private static var missing: Check {
    check("missing", "Missing values, one row and a column without values are transformed or refused by a sentence.") {
      subject, transform in
      let training = try rows(20, subject.seed, subject.device)
      let isFirst = try Tensor((0..<120).map { Int64($0 % 6) }, shape: [20, 6]).to(subject.device) .== 0
      let isSome = try Tensor((0..<120).map { Int64($0 % 7) }, shape: [20, 6]).to(subject.device) .== 0
      let cases: [(String, Tensor)] = [
        ("missing values", try training.filled(with: .nan, where: isSome)),
        ("a column without values", try training.filled(with: .nan, where: isFirst)),
        ("one row", try training.slice(0..<1)),
      ]
      for (name, inputs) in cases {
        do {
          let outputs = try transform.fit(inputs).apply(inputs)
          let wrong = try outputs.isFinite().not().and(inputs.isNaN().not())
          try require(try !wrong.any(), "fitted on \(name), values that are there become infinite or missing")
        } catch is RecipeError {} catch let error as TensorError {
          throw Fault("fitted on \(name), libtorch refuses it: \(error)")
        }
      }
      return .passed
    }
  }

  private static var settings: Check {
    Check(
      .transform, "settings",
      "The part works at the ends of each setting's range and with each choice, or refuses by a sentence."
    ) { part in
      let subject = try Subject(SlotKey.transform, part)
      var count = 0
      for (setting, value) in subject.trials {
        try subject.trying(setting, value) {
          let training = try rows(20, 1, part.device)
          let outputs = try subject.make(in: world, [setting: value]).part.fit(training).apply(training)
          try require(outputs.shape == training.shape, "rows \(training.shape) become \(outputs.shape)")
          try require(try areFinite([outputs]), "transformed rows are not finite")
          count += 1
        }
      }
      return count == 0 ? .skipped("no setting has choices or ends to try") : .passed
    }
  }
}
