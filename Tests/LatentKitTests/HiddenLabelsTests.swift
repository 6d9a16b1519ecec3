import LatentKit
import Testing

private struct Made: Loss {
  var needs: DataNeeds = []
  let make: (Forward) throws -> [Term]
  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] { try make(forward) }
}

/// Multiplies inputs by one weight.
private struct Scaled: Encoder {
  let latentSize = 1
  let weight: Tensor
  func encode(_ batch: Batch) throws -> Code { .point(try batch.inputs * weight) }
}

private func mask(_ values: [Bool]) throws -> Tensor { try Tensor(values.map { $0 ? 1 : 0 as Int64 }) .!= 0 }

/// Labels that are hidden, and what would tell them.
@Suite struct HiddenLabels {
  private let weight: Tensor
  init() throws { weight = try Tensor([2] as [Double]).requiringGradient() }

  /// Inputs 4, 0, 9, 0, of which the first and the third have a label.
  private func pass(labelled: [Bool]? = [true, false, true, false], weights: [Float]? = nil) throws -> Forward {
    let batch = Batch(
      inputs: try Tensor([4, 0, 9, 0] as [Double], shape: [4, 1]), labels: try Tensor([1, 0, 2, 0] as [Int64]),
      labelled: try labelled.map(mask), weights: try weights.map { try Tensor($0) })
    return Forward(
      batch, through: Model(encoder: Scaled(weight: weight), prior: Flat()), training: true,
      drawing: RandomSource(try Generator(seed: 1)))
  }

  @Test func aLossThatReadsLabelsOfTheBatchIsAboutLabelsToo() throws {
    let values = try Tensor([3.0, 5, 7, 11])
    let reading = Made { forward in
      _ = forward.batch.labels
      return [.perExample("a", values)]
    }
    #expect(try pass().reduced(reading, under: Flat())[0].value.item() == 5)
    // Inputs and mask are no labels.
    let looking = Made { forward in
      _ = (forward.batch.inputs, forward.batch.labelled, forward.batch.with(inputs: forward.inputs))
      return [.perExample("a", values)]
    }
    #expect(try pass().reduced(looking, under: Flat())[0].value.item() == 26.0 / 4)
    let whole = Made { forward in
      _ = forward.batch.with(inputs: forward.inputs).labels
      return [.batch("moments", try values.sum())]
    }
    #expect { try pass().reduced(whole, under: Flat()) } throws: { "\($0)".contains("data.labelled") }
  }

  @Test(arguments: [DataNeeds(), .labels])
  func weightsOfClassesReachOnlyPartsThatMaySeeTheClass(needs: DataNeeds) throws {
    final class Watching: FeatureEncoder, Discriminator {
      let needs: DataNeeds
      let latentSize = 1
      var seen: [Bool] = []
      init(_ needs: DataNeeds) { self.needs = needs }
      func encode(_ batch: Batch) throws -> Code {
        seen.append(batch.weights != nil)
        return .point(batch.inputs)
      }
      func features(_ batch: Batch) throws -> [Tensor] {
        seen.append(batch.weights != nil)
        return []
      }
      func score(_ batch: Batch) throws -> Tensor {
        seen.append(batch.weights != nil)
        return batch.inputs
      }
    }
    let part = Watching(needs)
    var model = Model(encoder: part, prior: Flat())
    model[.discriminator] = part
    // With labels and without: data that hide nothing tell the class by weights as well.
    for labels in [try Tensor([1, 0] as [Int64]), nil] {
      let batch = Batch(inputs: try .ones([2, 1]), labels: labels, weights: try Tensor([0.5, 2] as [Float]))
      let pass = Forward(batch, through: model, training: true, drawing: RandomSource(try Generator(seed: 1)))
      _ = (try pass.code, try pass.features, try pass.score(pass.inputs))
    }
    #expect(part.seen == Array(repeating: needs.contains(.labels), count: 6))
  }

  @Test func anInfiniteDerivativeAtAHiddenRowReachesNoWeight() throws {
    // The derivative of a root at 0 is infinite, and 0 times that is not a number.
    let loss = Made(needs: .labels) { forward in
      _ = try forward.labels
      return [.perExample("root", try forward.latents.select(0, axis: 1).sqrt())]
    }
    let value = try pass().reduced(loss, under: Flat())[0].value
    // (√(4 w) + √(9 w)) / 2, and its derivative 5 / (4 √w).
    #expect(abs(try value.item() - 5 * 2.0.squareRoot() / 2) < 1e-12)
    let gradient = try #require(value.gradients(by: [weight])[0]).item()
    #expect(abs(gradient - 5 / (4 * 2.0.squareRoot())) < 1e-12)
  }

  @Test func aTermOverAllExamplesBesideOneOverLabelsKeepsItsGradient() throws {
    let loss = Made(needs: .labels) { forward in
      _ = try forward.labels
      let latents = try forward.latents.select(0, axis: 1)
      return [.perExample("labelled", latents), .perExample("all", try (latents + 1).square(), over: .all)]
    }
    let terms = try pass().reduced(loss, under: Flat())
    // Mean over 4, 0, 9, 0 of 2 (x w + 1) x.
    let gradient = try #require(terms[1].value.gradients(by: [weight])[0]).item()
    #expect(abs(gradient - (2 * 9 * 4 + 2 * 19 * 9) / 4.0) < 1e-12)
  }

  @Test func valuesByLabelAreGivenTheLabelWhereThereIsOne() throws {
    func values(_ labels: Tensor?) throws -> Tensor { try labels?.to(.float64) ?? .full([4], 7, dtype: .float64) }
    let pass = try pass()
    #expect(try pass.byLabel(values).doubles() == [1, 7, 2, 7])
    #expect(try self.pass(labelled: nil).byLabel(values).doubles() == [1, 0, 2, 0])
    // It reads labels for values that all examples have.
    let loss = Made { [.perExample("a", try $0.byLabel(values))] }
    #expect(try pass.reduced(loss, under: Flat())[0].value.item() == 17.0 / 4)
  }

  @Test func aPartOnTheClassRefusesLabelsOfWhichSomeAreHidden() throws {
    let (latents, labels) = (try Tensor.ones([2, 1]), try Tensor([1, 0] as [Int64]))
    #expect(try LatentBatch(latents, labels: labels).requireLabels(for: "decoder").ints() == [1, 0])
    let hidden = LatentBatch(latents, labels: labels, labelled: try mask([true, false]))
    #expect { try hidden.requireLabels(for: "decoder 'x'") } throws: {
      "\($0)" == "decoder 'x' is conditioned on the class, and some labels are hidden; leave data.labelled out"
    }
  }
}

/// Models of other runs, of which the inputs are converted.
@Suite struct TrainedModels {
  private func model(_ inputs: InputDescription, classes: Int? = 2, names: [String]? = nil) throws -> TrainedModel {
    let part = Passing()
    return TrainedModel(
      path: "runs/x", checksum: "0", model: Model(encoder: part, decoder: part, classifier: part, prior: Flat()),
      inputs: inputs, classCount: classes, classNames: names)
  }

  private struct Passing: Encoder, LatentKit.Decoder, Classifier {
    let latentSize = 1
    func encode(_ batch: Batch) throws -> Code { .point(batch.inputs) }
    func decode(_ request: LatentBatch) throws -> Tensor { request.latents }
    func scores(_ request: LatentBatch) throws -> Tensor { try request.latents.flattened() }
  }

  private func context(_ inputs: InputDescription, classes: Int? = 2, of model: TrainedModel?) throws -> BuildContext {
    var context = BuildContext(
      inputShape: inputs.shape, inputRange: inputs.range, padding: inputs.padding, classCount: classes,
      scope: try Scope(path: "x"), title: "metric 'm'")
    context.inputUnits = inputs.units
    context.openRun = model.map { model in { _ in model } }
    return context
  }

  private let small = InputDescription(shape: [1, 2, 2], range: 0...1)
  private let padded = InputDescription(shape: [1, 4, 4], range: -1...1, padding: 1)

  @Test func imagesAreScaledAndPaddedAndBack() throws {
    let inputs = try Tensor([0, 0.5, 1, 0.25] as [Float], shape: [1, 1, 2, 2])
    let far = try context(small, of: model(padded)).trainedModel("runs/x")
    let seen = try far.latents(inputs)
    #expect(
      try seen.floats() == [-1, -1, -1, -1, -1, -1, 0, -1, -1, 1, -0.5, -1, -1, -1, -1, -1]
        && seen.shape == [1, 1, 4, 4])
    #expect(try far.decode(seen).floats() == inputs.floats() && far.scores(inputs).shape == [1, 16])
    let near = try context(padded, of: model(small)).trainedModel("runs/x")
    #expect(try near.latents(seen).floats() == inputs.floats())
    #expect(try near.decode(inputs).floats() == seen.floats())
    // Inputs of the same kind are the same bits.
    let odd = try Tensor([0.1, 0.7, 0.3, 0.9] as [Float], shape: [1, 1, 2, 2])
    #expect(try context(small, of: model(small)).trainedModel("runs/x").latents(odd).bytes() == odd.bytes())
  }

  @Test func whatDoesNotFitIsRefusedInASentence() throws {
    func problem(_ own: InputDescription, _ model: TrainedModel?, classes: Int? = 2, names: [String]? = nil) -> String {
      do {
        var context = try context(own, classes: classes, of: model)
        context.classNames = names
        _ = try context.trainedModel("runs/x", classifying: true)
        return "none"
      } catch { return "\(error)" }
    }
    #expect(problem(small, nil) == "metric 'm' opens the run in runs/x, and there is no way to here")
    #expect(problem(small, try model(padded)) == "none")
    #expect(
      problem(InputDescription(shape: [3, 4, 4], range: 0...1), try model(padded))
        == "metric 'm': the run in runs/x reads inputs of shape [1, 2, 2], and the data have [3, 4, 4]; name a run on inputs "
        + "of this shape")
    let rows = InputDescription(shape: [3], units: "a")
    #expect(problem(rows, try model(rows)) == "none")
    #expect(
      problem(rows, try model(InputDescription(shape: [3], units: "b")))
        == "metric 'm': the run in runs/x reads rows of other columns, or transformed otherwise; name a run on the same data "
        + "with the same transforms, seed and parts")
    #expect(
      problem(small, try model(small, classes: 3))
        == "metric 'm': the run in runs/x knows 3 classes, and the data have 2 classes; name a run on the same classes")
    #expect(
      problem(small, try model(small, names: ["a", "b"]), names: ["a", "c"])
        == "metric 'm': the run in runs/x knows other classes, 'b' where the data have 'c'; name a run on the same classes"
    )
    #expect(problem(small, try model(small, names: ["a", "b"]), names: ["a", "b"]) == "none")
  }
}
