import LatentKit
import Testing

@Suite struct Settings {
  static let ranges: [(SettingRange, String, [Double], [Double])] = [
    (.within(0...1), "0 to 1", [0, 0.5, 1], [-1e-9, 1.0001]),
    (.within(0..<1), "0 up to, not including, 1", [0, 0.999], [-0.1, 1]),
    (.atLeast(-2), "-2 or more", [-2, 1e300], [-2.1]),
    (.above(0), "above 0", [1e-300, 5], [0, -1]),
    (.above(0, upTo: 0.5), "above 0, up to 0.5", [0.1, 0.5], [0, 0.6]),
    (.between(0, 1), "above 0 and below 1", [0.5], [0, 1]),
    (.within(0...1e15), "0 to 1e15", [1e15], [2e15]),
    (.within(1e-9...2.5e30), "1e-9 to 2.5e30", [1e-9, 1], [0, 3e30]),
    (.within(1e-4...999_999.5), "0.0001 to 999999.5", [1], [1e6]),
    (.atLeast(-1e20), "-1e20 or more", [0], [-1e21]),
  ]

  @Test(arguments: ranges)
  func rangesSayWhatTheyAdmit(range: SettingRange, text: String, inside: [Double], outside: [Double]) {
    #expect(range.text == text)
    for number in inside { #expect(range.admits(.double(number)), "\(number)") }
    for number in outside + [.nan, .infinity, -.infinity] { #expect(!range.admits(.double(number)), "\(number)") }
    // Whole numbers are numbers; what is none is checked by the setting's type.
    for number in inside where number == number.rounded() && abs(number) < 1e15 {
      #expect(range.admits(.int(Int(number))))
    }
    for value in [Value.null, "auto", true, [:]] { #expect(range.admits(value)) }
    // Of a list, every number counts.
    #expect(range.admits(.array(inside.map(Value.double))))
    #expect(!range.admits(.array((inside + outside.prefix(1)).map(Value.double))))
  }

  @Test func aListCanHaveALengthToo() {
    let range = SettingRange.atLeast(1).each(count: 1...3)
    #expect(range.text == "1 to 3 numbers, each 1 or more")
    #expect(SettingRange.atLeast(1).each(count: 2...2).text == "2 numbers, each 1 or more")
    #expect(range.admits([1]) && range.admits([1, 2, 3]))
    #expect(!range.admits([]) && !range.admits([1, 2, 3, 4]) && !range.admits([1, 0]))
  }

  private enum Word: String, Choice { case slow, fast }

  private struct Ranged: ComponentConfig {
    @Setting("A share.", .within(0..<1)) var share = 0.5
    @Setting("How many.", .within(1...8)) var count = 2
    @Setting("Widths.", .atLeast(1).each(count: 1...3)) var widths = [4, 5]
    @Setting("A number, or unset.", .above(0)) var limit: Double? = nil
    @Setting("A word.") var word: Word? = nil
  }

  @Test(
    arguments: [
      (["share": 1], "encoder.with.share: found 1, expected 0 up to, not including, 1"),
      (["share": -0.5], "encoder.with.share: found -0.5, expected 0 up to, not including, 1"),
      (["count": 0], "encoder.with.count: found 0, expected 1 to 8"),
      (["count": 9], "encoder.with.count: found 9, expected 1 to 8"),
      (["count": 2.5], "encoder.with.count: found 2.5, expected a whole number"),
      (["widths": []], "encoder.with.widths: found [], expected 1 to 3 numbers, each 1 or more"),
      (["widths": [3, 0]], "encoder.with.widths: found [3, 0], expected 1 to 3 numbers, each 1 or more"),
      (["limit": 0], "encoder.with.limit: found 0, expected above 0"),
      (["word": "fats"], "Did you mean 'fast'?"),
    ] as [([String: Value], String)])
  func whatIsOutOfRangeIsRefusedWithTheRange(settings: [String: Value], sentence: String) {
    #expect { try Ranged(settings, at: "encoder.with") } throws: { "\($0)".contains(sentence) }
  }

  @Test func boundsAreInsideAndUnsetIsFine() throws {
    let read = try Ranged(
      ["share": 0, "count": 8, "widths": [1, 2, 3], "limit": .null, "word": "slow"], at: "encoder.with")
    #expect(read.share == 0 && read.count == 8 && read.widths == [1, 2, 3] && read.limit == nil && read.word == .slow)
    #expect(try Ranged(["limit": 0.1], at: "x").limit == 0.1)
  }

  @Test func listsShowNameDefaultHelpAndWhatIsAllowed() {
    let settings = Ranged.settings
    #expect(settings.map(\.name) == ["share", "count", "widths", "limit", "word"])
    #expect(settings.map(\.fallback) == [0.5, 2, [4, 5], .null, .null])
    #expect(settings.map(\.help) == ["A share.", "How many.", "Widths.", "A number, or unset.", "A word."])
    #expect(
      settings.map(\.allowed) == [
        "0 up to, not including, 1", "1 to 8", "1 to 3 numbers, each 1 or more", "above 0", "slow, fast",
      ])
  }
}

@Suite struct RangesOfBounds {
  @Test func aRangeIsMadeOfTheBoundsThatThereAre() {
    typealias Bounds = (Double?, Double?, Double?, Double?)
    let cases: [(Bounds, String?)] = [
      ((1, nil, nil, nil), "1 or more"), ((nil, 0, nil, nil), "above 0"), ((nil, nil, 2, nil), "at most 2"),
      ((nil, nil, nil, 2), "below 2"), ((0, nil, 1, nil), "0 to 1"), ((nil, 0, 1, nil), "above 0, up to 1"),
      ((0, nil, nil, 1), "0 up to, not including, 1"), ((nil, 0, nil, 1), "above 0 and below 1"),
      ((5, 0, 7, 1), "above 0 and below 1"), ((nil, nil, nil, nil), nil),
    ]
    for ((atLeast, above, atMost, below), text) in cases {
      #expect(SettingRange(atLeast: atLeast, above: above, atMost: atMost, below: below)?.text == text)
    }
  }
}
