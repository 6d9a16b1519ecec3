import LatentKit
import Testing

/// A decoder that counts how often it runs.
private final class CountingDecoder: ActivatedDecoder {
  let output: OutputFunction
  var runs = 0
  init(_ output: OutputFunction) { self.output = output }
  func preactivations(_ request: LatentBatch) throws -> Tensor {
    runs += 1
    return try request.latents * 3
  }
}

private struct Same: Encoder {
  let latentSize = 2
  func encode(_ batch: Batch) -> Code { .point(batch.inputs) }
}

private struct NoPrior: Prior {
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { try latents.sum(axis: 1) }
}

@Test(arguments: OutputFunction.allCases) func aPassDecodesOnceBeforeAndBehindTheSigmoid(output: OutputFunction) throws
{
  let decoder = CountingDecoder(output)
  let inputs = try Tensor([0.5, -1, 2, 0.25], shape: [2, 2])
  let pass = Forward(
    Batch(inputs: inputs, labels: nil), through: Model(encoder: Same(), decoder: decoder, prior: NoPrior()),
    training: true, drawing: RandomSource(try Generator(seed: 1)))
  let made = try pass.reconstruction
  #expect(try made.doubles() == output(inputs * 3).doubles())
  switch try pass.decoded {
  case .logits(let logits): #expect(try output == .sigmoid && logits.doubles() == (inputs * 3).doubles())
  case .values(let values): #expect(try output != .sigmoid && values.doubles() == made.doubles())
  }
  #expect(decoder.runs == 1)
}
