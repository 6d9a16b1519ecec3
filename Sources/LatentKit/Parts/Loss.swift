/// An objective to minimise.
public protocol Loss: Part {
  /// Named terms, each with its gradient. The framework reduces, weighs and adds them.
  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term]
}

extension SlotKey where Role == any Loss {
  public static var loss: Self { Self(.loss) }
}

extension Contribution {
  public static func loss<C: Loss & Component>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions(), paper: Paper? = nil
  ) -> Contribution { Contribution(.loss, Entry(name, type, summary, with: companions, paper: paper) { $0 }) }
}
