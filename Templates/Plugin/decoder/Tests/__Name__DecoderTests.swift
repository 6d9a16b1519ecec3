import LatentKit
import Testing
import __Name__

@Test(arguments: [0...1, nil] as [ClosedRange<Double>?])
func decodedInputsHaveTheShapeAndTheRangeOfTheData(range: ClosedRange<Double>?) throws {
  var place = try context(latent: 3)
  place.inputRange = range
  let decoder = try __Name__Decoder(.init(["hidden": 8], at: "decoder.with"), in: place)
  var generator = try Generator(seed: 1)
  let latents = try generator.normal([7, 3], dtype: .float64) * 50
  let decoded = try decoder.decode(LatentBatch(latents))
  #expect(decoded.shape == [7, 1, 4, 4])
  #expect(try decoded.doubles().allSatisfy { (0...1).contains($0) } == (range != nil))
}
