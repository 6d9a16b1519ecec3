import Foundation
import Studies
import Testing

private func value(
  _ contender: String, _ measure: String, _ labels: Int, _ seed: Int, _ value: Double
) -> LabelCurves.Value {
  .init(contender: contender, measure: measure, labels: labels, run: "seed \(seed)", value: value)
}

/// Two contenders over two numbers of labels and three seeds; the second has no run of seed 3 at 1,000 labels.
private func curves() throws -> LabelCurves {
  try LabelCurves([
    value("pixels", "logistic", 1000, 1, 80), value("pixels", "logistic", 1000, 2, 81),
    value("pixels", "logistic", 1000, 3, 85), value("pixels", "logistic", 100, 1, 70),
    value("pixels", "logistic", 100, 2, 72), value("pixels", "logistic", 100, 3, 74),
    value("latents", "logistic", 100, 1, 69), value("latents", "logistic", 100, 2, 75),
    value("latents", "logistic", 100, 3, 75), value("latents", "logistic", 1000, 1, 79),
    value("latents", "logistic", 1000, 2, 78), value("latents", "logistic", 1000, 1, 1),
  ])
}

@Suite struct LabelCurveTests {
  @Test func pointsAreMeansAndDeviationsByRisingNumbers() throws {
    let curves = try curves().curves
    #expect(curves.map(\.name) == ["pixels", "latents"])
    #expect(curves[0].points.map(\.labels) == [100, 1000] && curves[0].points.map(\.mean) == [72, 82])
    #expect(curves[0].points.map(\.deviation) == [2, 7.0.squareRoot()])
    // A number that is there twice counts once.
    #expect(curves[1].points[1].values == ["seed 1": 79, "seed 2": 78])
  }

  @Test func differencesAreOfRunsOfOneSeed() throws {
    let curves = try curves()
    let found = curves.differences(from: curves.curves[0])
    #expect(found.map(\.labels) == [100, 1000] && found.allSatisfy { $0.name == "latents" })
    // -1, 3, 1 and -1, -3: pairs alone.
    #expect(found.map(\.mean) == [1, -2] && found[0].deviation == 2 && found[1].deviation == 2.0.squareRoot())
    let markdown = curves.markdown(title: "Curves", reference: curves.curves[0])
    #expect(
      markdown.hasPrefix(
        "# Curves\n\n| labels | 100 | 1000 |\n|---|---:|---:|\n| pixels | 72.00 ± 2.00 | 82.00 ± 2.65 |\n"))
    #expect(
      markdown.contains(
        "## Less pixels\n\n| labels | 100 | 1000 |\n|---|---:|---:|\n| latents | +1.00 ± 2.00 | -2.00 ± 1.41 |"))
    let rows = curves.csv(reference: curves.curves[0]).split(separator: "\r\n")
    #expect(
      rows.count == 5 && rows[1] == "pixels,100,3,72.0,2.0,,,"
        && rows[3] == "latents,100,3,73.0,3.4641016151377544,pixels,1.0,2.0")
  }

  /// Of other data or another split the labelled examples are others. Where nothing is known of them, the seed decides.
  @Test func runsOfOtherDataAreNoPairs() throws {
    func value(_ contender: String, _ seed: Int, _ value: Double, _ data: String) -> LabelCurves.Value {
      .init(contender: contender, measure: "logistic", labels: 10, run: "seed \(seed)", value: value, data: data)
    }
    let curves = try LabelCurves([
      value("a", 1, 50, "digits x"), value("a", 2, 50, "digits x"), value("a", 3, 50, ""),
      value("b", 1, 51, "digits x"), value("b", 2, 60, "digits y"), value("b", 3, 53, "digits y"),
    ])
    #expect(curves.differences(from: curves.curves[0]).map(\.values) == [["seed 1": 1, "seed 3": 3]])
    #expect(curves.curves.map { $0.points[0].values.count } == [3, 3])
  }

  @Test func whatAllHaveInCommonIsNoName() throws {
    let one = try LabelCurves([value("a", "logistic", 10, 1, 1), value("a", "cnn", 10, 1, 2)])
    #expect(one.curves.map(\.name) == ["logistic", "cnn"])
    let both = try LabelCurves([
      value("a", "logistic", 10, 1, 1), value("a", "cnn", 10, 1, 2), value("b", "cnn", 10, 1, 2),
    ])
    #expect(both.curves.map(\.name) == ["a, logistic", "a, cnn", "b, cnn"])
    #expect(throws: (any Error).self) { try LabelCurves([]) }
  }

  @Test func resultsAreReadByTheNamesOfMeasuresAndRows() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("curves-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let file = folder.appendingPathComponent("results.csv")
    let head = "row,column,seed,fold,measure,value,unit,published,epochs,training_examples,seconds,folder"
    let rows = [
      "VAE,,1,,logistic on mean at 100 labels,60.5,%,,1,100,1,a",
      "VAE,,1,,\"logistic on mean at 100 labels, training\",70.5,%,,1,100,1,a",
      "VAE,,1,,accuracy,50,%,,1,100,1,a", "\"fine-tuned at 1,000 labels\",4 latents,2,0,accuracy,66,%,,1,100,1,b",
      "\"fine-tuned at 1,000 labels\",4 latents,2,0,loss,1,,,1,100,1,b",
      "\"fine-tuned at 1,000 labels\",4 latents,2,0,training accuracy,99,%,,1,100,1,b",
    ]
    try Data(([head] + rows).joined(separator: "\r\n").utf8).write(to: file)
    let plain = try LabelMeasures().values(inResults: file)
    #expect(
      plain == [
        value("VAE", "logistic on mean", 100, 1, 60.5),
        .init(contender: "fine-tuned, 4 latents", measure: "accuracy", labels: 1000, run: "seed 2, fold 0", value: 66),
      ])
    let all = try LabelMeasures(only: ["LOGISTIC"], training: true).values(inResults: file)
    #expect(all.map(\.measure) == ["logistic on mean", "logistic on mean, training"])
    let twins = try LabelMeasures(training: true).values(inResults: file)
    #expect(twins.map(\.measure) == all.map(\.measure) + ["accuracy", "accuracy, training"])
  }
}
