import LatentKit

extension Dataset {
  /// Returns the data without some classes, whose examples become `unseen`. The labels of the other classes are numbered anew, in
  /// their order. A class is chosen by its name, or, where none is called so, by its number from 0; a range such as `964-1622` chooses several.
  ///
  /// - Throws: `ConfigError` for a class that is unknown or there twice, fewer than two classes that are left, and a part in which
  ///   none is left.
  func holdingOut(_ choices: [NameOrNumber], at path: String) throws -> Dataset {
    guard !choices.isEmpty else { return self }
    func refused(_ reason: String) -> ConfigError { ConfigError(path: path, reason) }
    guard let classCount, train.labels != nil else { throw refused("'\(name)' has no labels; leave it out") }
    var held: [Int] = []
    for choice in choices {
      for label in try numbers(of: choice, among: classCount, refused) {
        guard !held.contains(label) else { throw refused("class \(className(label)) is there twice; name it once") }
        held.append(label)
      }
    }
    held.sort()
    let kept = (0..<classCount).filter { !held.contains($0) }
    guard kept.count >= 2 else {
      throw refused(
        "found \(held.count) of the \(classCount) classes of '\(name)', expected two or more to be left; hold out fewer"
      )
    }
    func part(_ examples: Examples, of classes: [Int]) throws -> Examples? {
      guard let labels = try examples.labels?.ints() else { return nil }
      let numbers = Dictionary(uniqueKeysWithValues: zip(classes, classes.indices))
      // What has no label may be of any class, so that it goes.
      let isLabelled = try examples.isLabelled?.ints()
      let places = labels.indices.filter { numbers[labels[$0]] != nil && isLabelled?[$0] ?? 1 == 1 }
      guard !places.isEmpty else { return nil }
      let chosen = try examples.subset(Tensor(places.map(Int64.init)))
      return try Examples(
        inputs: chosen.inputs, labels: Tensor(places.map { Int64(numbers[labels[$0]]!) }), weights: chosen.weights,
        rows: chosen.rows)
    }
    func rest(_ examples: Examples, _ title: String) throws -> Examples {
      guard let rest = try part(examples, of: kept) else {
        throw refused("no example of the \(title) part is of another class; hold out fewer")
      }
      return rest
    }
    var result = self
    result.unseen = try test.flatMap { try part($0, of: held) } ?? part(train, of: held)
    guard result.unseen != nil else { throw refused("found no example of these classes; name others") }
    result.train = try rest(train, "training")
    result.validation = try validation.map { try rest($0, "validation") }
    result.test = try test.map { try rest($0, "test") }
    result.unseenNames = classNames.map { names in held.map { names[$0] } }
    result.classNames = classNames.map { names in kept.map { names[$0] } }
    result.classCount = kept.count
    return result
  }

  private func numbers(
    of choice: NameOrNumber, among count: Int, _ refused: (String) -> ConfigError
  ) throws -> ClosedRange<Int> {
    switch choice {
    case .number(let number):
      // A class may be called by a number, another one than its place.
      if let place = classNames?.firstIndex(of: "\(number)") { return place...place }
      guard (0..<count).contains(number) else {
        throw refused("found class \(number), and '\(name)' has classes 0 to \(count - 1)")
      }
      return number...number
    case .name(let name):
      if let place = classNames?.firstIndex(of: name) { return place...place }
      // A number may be written as text.
      let bounds = name.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
      if bounds.count <= 2, let first = bounds.first, let last = bounds.last, first >= 0, first <= last, last < count {
        return first...last
      }
      guard let classNames else {
        throw refused("found '\(name)', and the classes of '\(self.name)' have numbers only")
      }
      throw refused(UnknownName(name, among: classNames, of: "class").description)
    }
  }

  private func className(_ label: Int) -> String { classNames?[label] ?? "\(label)" }
}
