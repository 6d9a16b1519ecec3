import Foundation
import LatentKit
import TestSupport
import Testing

@testable import ForeignParts

/// Densities of other languages as priors.
@Suite struct Densities {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private let points = [0.3, -1.2, 2.5, 0.1, -0.7, 4.0]

  private func latents() throws -> Tensor { try Tensor(points, shape: [3, 2]) }

  @Test func aDensityInCIsItsClosedForm() throws {
    let catalog = try Catalog([]).adding(foreign: [scratch.example("laplace.c")])
    let prior = try catalog.prior("laplace", ["scale": 0.7])
    let found = try prior.logDensity(latents(), labels: nil).doubles()
    for row in 0..<3 {
      let expected = points[2 * row..<2 * row + 2].reduce(0) { $0 - abs($1) / 0.7 - log(1.4) }
      #expect(abs(found[row] - expected) < 1e-12)
    }
    // The part is as any other: its type follows the latents, none are fine, and its settings are checked.
    #expect(try prior.logDensity(latents().to(.float32), labels: nil).dtype == .float32)
    #expect(try prior.logDensity(.zeros([0, 2]), labels: nil).shape == [0])
    #expect(
      problem(in: scratch) { _ = try catalog.prior("laplace", ["scale": 0]) }
        == "prior.with.scale: found 0.0, expected above 0")
    #expect(
      problem(in: scratch) { _ = try prior.logDensity(.zeros([3, 4]), labels: nil) }
        == "prior 'laplace': found latents of shape [3, 4], expected [rows, 2]")
  }

  @Test func itsGradientIsTheLibrarysOwn() throws {
    let prior = try Catalog([]).adding(foreign: [scratch.example("laplace.c")]).prior("laplace", ["scale": 0.7])
    let leaf = try latents().requiringGradient()
    let weights = try Tensor([1.0, -2, 0.5])
    let gradient = try (prior.logDensity(leaf, labels: nil) * weights).sum().gradients(by: [leaf])[0]
    let expected = points.enumerated().map { (index, value) in
      [1.0, -2, 0.5][index / 2] * (value > 0 ? -1 : 1) / 0.7
    }
    let found = try #require(gradient).doubles()
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(try !withoutGradients { try prior.logDensity(leaf, labels: nil) }.requiresGradient)
  }

  @Test func secondDerivativesAreRefused() throws {
    let prior = try Catalog([]).adding(foreign: [scratch.example("laplace.c")]).prior("laplace")
    let leaf = try latents().requiringGradient()
    let gradient = try #require(
      try prior.logDensity(leaf, labels: nil).sum().gradients(by: [leaf], createGraph: true)[0])
    let text = problem(in: scratch) { _ = try gradient.square().sum().gradients(by: [leaf]) }
    #expect(text.contains("second derivatives of values whose gradients were given"))
  }

  @Test func drawsOfACPriorHaveItsMomentsAndFollowTheGenerator() throws {
    let prior = try #require(
      try Catalog([]).adding(foreign: [scratch.example("laplace.c")]).prior("laplace", ["scale": 0.7])
        as? any DirectPrior)
    func draw(_ seed: UInt64, _ count: Int) throws -> [Double] {
      var generator = try Generator(seed: seed)
      let request = DrawRequest(labels: nil, count: count, latentSize: 2, prior: prior)
      return try prior.draw(request, using: &generator).latents.doubles()
    }
    let values = try draw(1, 20_000)
    // The variance of a Laplace density is 2 b², and that of the mean square 20 b⁴ / n.
    let square = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
    #expect(abs(square - 2 * 0.49) < 5 * (20 * pow(0.7, 4) / 40_000).squareRoot())
    let mean = values.reduce(0, +) / Double(values.count)
    #expect(abs(mean) < 5 * (2 * 0.49 / 40_000).squareRoot())
    #expect(try draw(1, 10) == draw(1, 10))
    #expect(try draw(1, 10) != draw(2, 10))
  }

  @Test(.enabled(if: hasGSL)) func densitiesOfASystemLibraryAreTheirClosedForms() throws {
    let catalog = try Catalog([]).adding(foreign: [fixtures.appendingPathComponent("gsl.yaml").path])
    func check(_ name: String, _ settings: [String: Value], _ density: (Double) -> Double) throws {
      let found = try catalog.prior(name, settings).logDensity(latents(), labels: nil).doubles()
      for row in 0..<3 {
        let expected = points[2 * row..<2 * row + 2].reduce(0) { $0 + log(density($1)) }
        #expect(abs(found[row] - expected) < 1e-10, "\(name)")
      }
    }
    // Student's density with 3 degrees of freedom: 2 / (π √3 (1 + x²/3)²).
    try check("student-t", ["nu": 3]) { 2 / (Double.pi * 3.0.squareRoot() * pow(1 + $0 * $0 / 3, 2)) }
    try check("logistic", ["scale": 0.5]) { exp(-$0 / 0.5) / (0.5 * pow(1 + exp(-$0 / 0.5), 2)) }
    try check("exponential-power", ["a": 1.5, "b": 2]) { exp(-pow($0 / 1.5, 2)) / (1.5 * Double.pi.squareRoot()) }
    #expect(try catalog.description(of: .prior, "logistic").companions.parts[.sampler]?.use == "mh")
  }

  @Test(.enabled(if: hasGSL)) func aDensityWithoutAGradientHasThatOfDifferences() throws {
    let prior = try Catalog([]).adding(foreign: [fixtures.appendingPathComponent("gsl.yaml").path])
      .prior("logistic", ["scale": 0.5])
    let leaf = try latents().requiringGradient()
    let found = try #require(try prior.logDensity(leaf, labels: nil).sum().gradients(by: [leaf])[0]).doubles()
    for (value, slope) in zip(points, found) { #expect(abs(slope + tanh(value) / 0.5) < 1e-8) }
  }

  @Test func differencesStopAtTheEdgeOfABox() throws {
    let catalog = try scratch.hostile(
      """
      - prior: box
        summary: the unit square
        density: {call: box, takes: [value: double], returns: {density: double}}
      """)
    let leaf = try Tensor([0.5, 1.0, 2.0, 0.0], shape: [2, 2]).requiringGradient()
    let values = try catalog.prior("box").logDensity(leaf, labels: nil)
    #expect(try values.doubles() == [0, -.infinity])
    // 0 inside, by one side at an edge, and where the density is 0.
    #expect(try values.slice(0..<1).sum().gradients(by: [leaf])[0]?.doubles() == [0, 0, 0, 0])
  }

  @Test func aFunctionOfOneRowInSinglePrecisionIsCalledForEach() throws {
    let catalog = try scratch.hostile(
      """
      - prior: single
        summary: a Gaussian up to a constant
        normalized: false
        density: {call: single, takes: [latents: const float *, latent: int32_t], returns: {log-density: float}}
      """)
    let prior = try catalog.prior("single")
    #expect(prior is any UnnormalizedPrior)
    let leaf = try latents().requiringGradient()
    let values = try prior.logDensity(leaf, labels: nil)
    let expected = (0..<3).map { -(pow(points[2 * $0], 2) + pow(points[2 * $0 + 1], 2)) / 2 }
    #expect(zip(try values.doubles(), expected).allSatisfy { abs($0 - $1) < 1e-6 })
    // Differences in single precision take longer steps.
    let slopes = try #require(try values.sum().gradients(by: [leaf])[0]).doubles()
    #expect(zip(slopes, points).allSatisfy { abs($0 + $1) < 1e-3 })
  }

  static let ofClass = """
    - prior: of-class
      summary: a Gaussian for each class
      density:
        call: of_class
        takes: [latents: double*, labels: int32_t*, rows: int, latent: int, log-densities: double*]
    """

  @Test func aDensityOfClassesIsAMixtureWhereNoneIsNamed() throws {
    let prior = try scratch.hostile(Self.ofClass).prior("of-class", classes: 3)
    #expect(try prior.knowsClasses)
    let labels = try Tensor([0, 2, 1] as [Int64])
    let normal = Normal(knowsClasses: true)
    let (found, expected) = try (
      prior.logDensity(latents(), labels: labels).doubles(), normal.logDensity(latents(), labels: labels).doubles()
    )
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-12 })
    let each = try (0..<3).map { label in
      try normal.logDensity(latents(), labels: Tensor(Array(repeating: Int64(label), count: 3))).doubles()
    }
    let mixture = try prior.logDensity(latents(), labels: nil).doubles()
    for row in 0..<3 {
      #expect(abs(mixture[row] - log(each.reduce(0) { $0 + exp($1[row]) } / 3)) < 1e-12)
    }
    #expect(
      try gradientError(of: { try prior.logDensity($0, labels: nil).sum() }, at: latents(), step: 1e-5) < 1e-7)
    // A class that is not there would be read beside the library's arrays.
    #expect(
      problem(in: scratch) { _ = try prior.logDensity(latents(), labels: Tensor([0, 3, 1] as [Int64])) }
        == "prior 'of-class': found the class 3, expected 0 to 2")
    #expect(
      problem(in: scratch) { _ = try prior.logDensity(latents(), labels: Tensor([0, 1] as [Int64])) }
        == "prior 'of-class': found 2 labels for 3 latents, expected one for each")
    #expect(
      problem(in: scratch) { _ = try scratch.hostile(Self.ofClass).prior("of-class") }
        == "prior 'of-class' needs labels, and the data have none; choose a labelled dataset")
  }

  @Test func everyTypeOfNumberArrivesAsItIs() throws {
    let prior = try scratch.hostile(
      """
      - prior: sums
        summary: the sum of all settings
        settings:
          a: {default: -1, help: a number}
          b: {default: 2, help: a number}
          c: {default: -300, help: a number}
          d: {default: 400, help: a number}
          e: {default: -50000, help: a number}
          f: {default: 60000, help: a number}
          g: {default: -7000000000, help: a number}
          h: {default: 8000000000, help: a number}
          i: {default: 0.5, help: a number}
          j: {default: true, help: a flag}
          text: {default: abc, help: a text, choices: [abc, e]}
        density:
          call: sums
          takes:
            - value: double
            - a: int8_t
            - b: uint8_t
            - c: int16_t
            - d: uint16_t
            - e: int32_t
            - f: uint32_t
            - g: long
            - h: size_t
            - i: float
            - j: bool
            - text: const char *
          returns: {log-density: double}
      """)
    let found = try prior.prior("sums", latent: 1).logDensity(Tensor([0.25], shape: [1, 1]), labels: nil).doubles()
    #expect(found == [0.25 - 1 + 2 - 300 + 400 - 50000 + 60000 - 7e9 + 8e9 + 0.5 + 1 + 3])
    #expect(
      problem(in: scratch) { _ = try prior.prior("sums", ["a": 200]) }
        == "prior 'sums': 'a' is 200, which int8_t cannot hold; choose another number")
    #expect(
      problem(in: scratch) { _ = try prior.prior("sums", ["f": -1]) }
        == "prior 'sums': 'f' is -1, which uint32_t cannot hold; choose another number")
    #expect(problem(in: scratch) { _ = try prior.prior("sums", ["text": "f"]) }.contains("there is no value 'f'"))
  }

  @Test func aSetupThatThrowsIsRefusedInASentence() throws {
    _ = try scratch.hostile(Self.ofClass)
    let text = "library: ./libhostile.so\nsetup: [setup_throws]\nparts:\n" + Self.ofClass
    #expect(
      problem(in: scratch) { _ = try Catalog([]).adding(foreign: [scratch.write(text)]) }
        == "'setup_throws' of ./libhostile.so threw: no licence")
  }

  @Test(arguments: [
    ("fails", "'fails' of ./libhostile.so failed: it returned the status 3"),
    ("throws", "'throws' of ./libhostile.so threw: out of luck"),
    ("throws_number", "'throws_number' of ./libhostile.so threw: a value that is no std::exception"),
    (
      "writes_nothing",
      "prior 'bad': 'writes_nothing' of ./libhostile.so left 'log-densities' of row 0 unwritten, of 3 rows"
    ),
    (
      "writes_too_much",
      "'writes_too_much' of ./libhostile.so wrote beside the 3 numbers of 'log-densities'; its manifest or its code is wrong, and memory may be damaged: start again without it"
    ),
    (
      "writes_before",
      "'writes_before' of ./libhostile.so wrote beside the 3 numbers of 'log-densities'; its manifest or its code is wrong, and memory may be damaged: start again without it"
    ),
  ]) func aFunctionThatFailsSaysSo(name: String, sentence: String) throws {
    let prior = try scratch.hostile(
      """
      - prior: bad
        summary: a function that fails
        density:
          call: \(name)
          takes: [latents: const double*, rows: int64_t, log-densities: double*]
          returns: {status: int}
      """
    ).prior("bad")
    #expect(problem(in: scratch) { _ = try prior.logDensity(latents(), labels: nil) } == sentence)
  }

  @Test func numbersThatAreNoneAreRefusedUnlessTheyWereAskedAbout() throws {
    let prior = try scratch.hostile(
      """
      - prior: nan
        summary: not a number
        density: {call: not_a_number, takes: [latents: const double*], returns: {log-density: double}}
      - prior: negative
        summary: a negative density
        density: {call: negative, takes: [value: double], returns: {density: double}}
      """)
    #expect(
      problem(in: scratch) { _ = try prior.prior("nan").logDensity(latents(), labels: nil) }
        == "prior 'nan': 'not_a_number' of ./libhostile.so gave nan for row 0, expected a log density")
    #expect(
      problem(in: scratch) { _ = try prior.prior("negative").logDensity(latents(), labels: nil) }
        == "prior 'negative': 'negative' of ./libhostile.so gave -0.25 for the number 0.3, expected a density, 0 or more"
    )
    // Training that diverged is not the library's fault.
    let diverged = try Tensor([Double.nan, 1], shape: [1, 2])
    #expect(try prior.prior("nan").logDensity(diverged, labels: nil).doubles()[0].isNaN)
  }
}
