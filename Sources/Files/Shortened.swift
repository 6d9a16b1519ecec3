extension String {
  /// The text with what is over `count` characters left out of its middle, for messages: the end of a sentence says what
  /// to do.
  package func shortened(to count: Int = 100) -> String {
    guard utf8.count > count, self.count > count else { return self }
    return "\(prefix(count * 2 / 3))…\(suffix(count / 3))"
  }
}

extension Collection<String> {
  /// The names with commas, for messages: the first few of many.
  package func listed(atMost count: Int = 40) -> String {
    let names = prefix(count).map { $0.shortened() }.joined(separator: ", ")
    return self.count > count ? "\(names) and \(self.count - count) more" : names
  }
}
