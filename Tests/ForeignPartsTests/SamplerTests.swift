import Foundation
import LatentKit
import Testing

@testable import ForeignParts

/// Samplers of other languages, which call back for the density.
@Suite struct Samplers {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func request(
    _ count: Int, of prior: any Prior = Normal(), labels: [Int64]? = nil, reference: LatentSet? = nil
  ) throws -> DrawRequest {
    DrawRequest(
      labels: try labels.map { try Tensor($0) }, count: count, latentSize: 2, prior: prior, reference: reference)
  }

  private func draw(_ sampler: any Sampler, _ request: DrawRequest, seed: UInt64 = 1) throws -> Draw {
    var generator = try Generator(seed: seed)
    return try sampler.draw(request, using: &generator)
  }

  /// Training latents that are far from the density in place and spread.
  private func reference(classes: Int = 1) throws -> LatentSet {
    var generator = try Generator(seed: 3)
    let labels = try Tensor((0..<300).map { Int64($0 % classes) })
    return LatentSet(latents: try generator.normal([300, 2]) * 0.5 + 1, labels: labels)
  }

  @Test func walksInCPlusPlusFollowADensityOfOurs() throws {
    let catalog = try Catalog([]).adding(foreign: [scratch.example("walkers.cpp")])
    let sampler = try catalog.sampler("walkers", ["stepSize": 2])
    let drawn = try draw(sampler, request(2000, reference: reference()))
    #expect(drawn.latents.shape == [2000, 2] && !drawn.followsLabels)
    let values = try drawn.latents.doubles()
    let mean = values.reduce(0, +) / 4000
    let variance = values.reduce(0) { $0 + $1 * $1 } / 4000
    // Independent walks: the deviations of a mean and of a mean square of 4000 normal numbers.
    #expect(abs(mean) < 5 / 4000.0.squareRoot())
    #expect(abs(variance - 1) < 5 * (2 / 4000.0).squareRoot())
    // Draws follow the generator.
    let few = try request(7, reference: reference())
    #expect(try draw(sampler, few).latents.doubles() == draw(sampler, few).latents.doubles())
    #expect(try draw(sampler, few).latents.doubles() != draw(sampler, few, seed: 2).latents.doubles())
  }

  @Test func eachClassIsDrawnFromItsOwnDensityInTheOrderOfTheRequest() throws {
    let catalog = try Catalog([]).adding(foreign: [scratch.example("walkers.cpp")])
    let labels = (0..<600).map { Int64($0 % 3 == 0 ? 2 : 0) }
    let drawn = try draw(
      catalog.sampler("walkers", ["stepSize": 2]),
      request(600, of: Normal(knowsClasses: true), labels: labels, reference: reference(classes: 3)))
    #expect(drawn.followsLabels)
    let first = try drawn.latents.select(0, axis: 1).doubles()
    for label in [0, 2] {
      let own = zip(first, labels).filter { $0.1 == label }.map(\.0)
      #expect(abs(own.reduce(0, +) / Double(own.count) - 3 * Double(label)) < 5 / Double(own.count).squareRoot())
    }
    #expect(
      problem(in: scratch) { _ = try draw(catalog.sampler("walkers"), request(5)) }
        == "sampler 'walkers' starts at training latents, and there are none; train the encoder first")
  }

  private func hostile(_ name: String, _ takes: String = "", returns: String = "count: int64_t") throws -> any Sampler {
    try scratch.hostile(
      """
      - sampler: bad
        summary: a sampler that fails
        settings: {\(takes.contains("mode") ? "mode: {default: 0, help: what it does}" : "")}
        draw:
          call: \(name)
          takes: [draws: double*, count: int64_t, latent: int64_t, seed: uint64_t\(takes)]
          returns: {\(returns)}
      """
    ).sampler("bad")
  }

  private let gradient =
    ", log-density: {takes: [latents: double*, gradients: double*, context: void*], returns: {log-density: double}}, context: void*"

  @Test func theCallbackGivesGradients() throws {
    // From 0 along the gradient of a Gaussian at (0, 0): to 0. At (3 y, 0): to (3 y, 0).
    let sampler = try hostile("climbs", gradient)
    #expect(try draw(sampler, request(2)).latents.doubles() == [0, 0, 0, 0])
    let drawn = try draw(sampler, request(2, of: Normal(knowsClasses: true), labels: [1, 2]))
    #expect(try drawn.latents.doubles() == [3, 0, 6, 0])
  }

  @Test func anErrorOfTheDensityDoesNotCrossTheLibrary() throws {
    struct Refusing: Prior {
      func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { throw RecipeError("no density today") }
    }
    let sampler = try hostile("climbs", gradient)
    #expect(problem(in: scratch) { _ = try draw(sampler, request(4, of: Refusing())) } == "no density today")
    struct Flat: Prior {
      func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { try .zeros([latents.size(0)]) }
    }
    #expect(
      problem(in: scratch) { _ = try draw(sampler, request(4, of: Flat())) }
        == "sampler 'bad' asks for gradients of a density that has none; choose another prior or sampler")
    // Afterwards it works as before.
    #expect(try draw(sampler, request(1)).latents.doubles() == [0, 0])
  }

  @Test(arguments: [
    (0, "'latents' is a null pointer"), (1, "'rows' is -1, expected 1 to 16777216"), (2, "'latent' is 3, expected 2"),
    (3, "'log-densities' is a null pointer"), (4, ""),
  ]) func whatTheLibraryAsksIsChecked(mode: Int, reason: String) throws {
    let catalog = try scratch.hostile(
      """
      - sampler: asks
        summary: a sampler that asks wrongly
        settings: {mode: {default: 0, help: what is wrong}}
        draw:
          call: asks
          takes:
            - draws: double*
            - count: int64_t
            - latent: int64_t
            - seed: uint64_t
            - log-density:
                takes: [latents: double*, rows: int64_t, latent: int64_t, log-densities: double*, context: void*]
                returns: {status: int}
            - context: void*
            - mode: int
          returns: {count: int64_t}
      """)
    let sampler = try catalog.sampler("asks", ["mode": .int(mode)])
    let expected = reason.isEmpty ? "nothing thrown" : "the library calls 'log-density' wrongly: \(reason)"
    #expect(problem(in: scratch) { _ = try draw(sampler, request(2)) } == expected)
  }

  @Test func threadsOfTheLibraryMayAskForTheDensity() throws {
    let rows =
      ", log-density: {takes: [latents: double*, rows: int64_t, latent: int64_t, log-densities: double*, context: void*], returns: {status: int}}, context: void*"
    let found = try draw(hostile("draws_in_threads", rows), request(8)).latents.select(0, axis: 1).doubles()
    for row in 0..<8 { #expect(abs(found[row] + pow(Double(row + 1), 2) / 2 + log(2 * Double.pi)) < 1e-12) }
  }

  @Test(arguments: [
    ("draws_fewer", "left draw 4 of 5 unwritten"),
    ("says_fewer", "returned 4 as the number of draws, expected 5"),
    ("draws_infinity", "gave inf in draw 0 of 5, expected finite numbers"),
  ]) func fewerDrawsThanPromisedAreRefused(name: String, reason: String) throws {
    #expect(
      problem(in: scratch) { _ = try draw(hostile(name), request(5)) }
        == "sampler 'bad': '\(name)' of ./libhostile.so \(reason)")
  }
}
