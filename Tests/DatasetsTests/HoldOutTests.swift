import LatentKit
import Testing

@testable import Datasets

/// Twelve rows of classes a, b, c, d in turn in the training part, and four in the test part; the input tells the class and the place.
private func data(named: Bool = true) throws -> Dataset {
  func examples(_ count: Int, from start: Int) throws -> Examples {
    try Examples(
      inputs: Tensor((0..<count).flatMap { [Float($0 % 4), Float(start + $0)] }, shape: [count, 2]),
      labels: Tensor((0..<count).map { Int64($0 % 4) }))
  }
  return try Dataset(
    name: "letters", title: "Letters", train: examples(12, from: 0), test: examples(4, from: 100),
    classNames: named ? ["a", "b", "c", "d"] : nil, classCount: 4, origin: .made("here"))
}

private func prepared(_ classes: [NameOrNumber], named: Bool = true, validation: Double = 0) throws -> Dataset {
  var settings = DataSettings()
  (settings.holdOut, settings.validation) = (classes, validation)
  return try data(named: named).prepared(settings, seed: 1)
}

/// The classes that the inputs of some examples tell.
private func classes(_ examples: Examples) throws -> [Int] { try examples.inputs.select(0, axis: 1).ints() }

@Test func heldOutClassesAreInNoOtherPart() throws {
  let data = try prepared([.name("c"), .number(0)], validation: 0.3)
  #expect(data.classCount == 2 && data.classNames == ["b", "d"] && data.unseenNames == ["a", "c"])
  for part in [data.train, try #require(data.validation), try #require(data.test)] {
    let found = try classes(part)
    #expect(Set(found).isSubset(of: [1, 3]))
    #expect(try part.labels?.ints() == found.map { $0 == 1 ? 0 : 1 })
  }
  // The held-out examples are those of the test part.
  let unseen = try #require(data.unseen)
  #expect(try classes(unseen) == [0, 2] && unseen.labels?.ints() == [0, 1])
  #expect(try unseen.inputs.select(1, axis: 1).ints() == [100, 102])
  #expect(try data.train.count + #require(data.validation).count == 6)
}

@Test func classesFromOneNumberToAnotherAreHeldOut() throws {
  #expect(try prepared([.name("1-2")]).classNames == ["a", "d"])
}

@Test func withoutATestPartTheyComeFromTheTrainingPart() throws {
  var all = try data()
  all.test = nil
  var settings = DataSettings()
  (settings.holdOut, settings.validation, settings.test) = ([.number(3)], 0, 0.34)
  let data = try all.prepared(settings, seed: 1)
  #expect(try classes(#require(data.unseen)) == [3, 3, 3])
  #expect(try !classes(#require(data.test)).contains(3))
}

@Test func nothingHeldOutChangesNothing() throws {
  let data = try prepared([])
  #expect(data.unseen == nil && data.unseenNames == nil && data.classCount == 4 && data.train.count == 12)
}

@Test func classesThatCannotBeHeldOutAreRefused() {
  func problem(_ classes: [NameOrNumber], named: Bool = true) -> String? {
    message { _ = try prepared(classes, named: named) }
  }
  #expect(problem([.number(4)]) == "data.with.holdOut: found class 4, and 'letters' has classes 0 to 3")
  #expect(problem([.name("e")])?.hasPrefix("data.with.holdOut: there is no class 'e'") == true)
  #expect(problem([.name("a"), .number(0)]) == "data.with.holdOut: class a is there twice; name it once")
  #expect(
    problem([.number(0), .number(1), .number(2)])
      == "data.with.holdOut: found 3 of the 4 classes of 'letters', expected two or more to be left; hold out fewer")
  #expect(
    problem([.name("a")], named: false)
      == "data.with.holdOut: found 'a', and the classes of 'letters' have numbers only")
  // A number may come as text.
  #expect(problem([.name("2")], named: false) == nil)
}
