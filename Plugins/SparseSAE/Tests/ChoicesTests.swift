import LatentKit
import SparseSAE
import Statistics
import Testing

@Test func choicesAreWordsOrNumbersInARecipe() throws {
  typealias Config = MetropolisHastingsSampler.Config
  let config = try Config(["bandwidth": "silverman", "proposal": 0.2, "maximumPoints": .null], at: "sampler.with")
  #expect(config.bandwidth == .silverman && config.proposal == .variance(0.2) && config.maximumPoints == nil)
  #expect(try Config(["bandwidth": 1], at: "sampler.with").bandwidth == .factor(1))
  #expect(try Config(["bandwidth": "cross-validated"], at: "sampler.with").values["bandwidth"] == "cross-validated")
  #expect(try Config(["threshold": "10%"], at: "sampler.with").threshold == .quantile(0.1))
  #expect(try Config(["threshold": 1e-5], at: "sampler.with").threshold == .density(1e-5))
  #expect(try Config().values["bandwidth"] == "scott")
  #expect(try Config(Config().values, at: "sampler.with") == Config())
  #expect {
    try Config(["bandwidth": "scot"], at: "sampler.with")
  } throws: {
    "\($0)".contains("sampler.with.bandwidth: found 'scot'") && "\($0)".contains("Did you mean 'scott'?")
  }
  #expect {
    try Config(["proposal": true], at: "sampler.with")
  } throws: {
    "\($0)".contains("expected tuned or a number")
  }
}
