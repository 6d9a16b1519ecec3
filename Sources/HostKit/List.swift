import ArgumentParser
import LatentKit
import Training

struct List: PartCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the parts that this program knows.",
    discussion:
      "  host list\n  host list prior\n  host list prior pedcc\n  host list prior laplace --foreign laplace.yaml")

  @Argument(help: "encoder, decoder, prior, …", completion: .list(Slot.all.map(\.name))) var slot: String?
  @Argument(
    help: "The name of a part.",
    completion: .custom { words, _, _ in
      Slot.all.first { words.contains($0.name) }.map { Host.names(in: $0, on: words) } ?? []
    }) var name: String?
  @OptionGroup var foreign: ForeignOptions

  func run(in host: Host) throws {
    let (catalog, console) = (host.catalog, host.console)
    guard let slot else {
      for slot in Slot.all {
        let names = catalog.descriptions(of: slot).map(\.name)
        if !names.isEmpty { console.say("\(pad(slot.name, 14))\(names.joined(separator: ", "))") }
      }
      console.say()
      console.say("'host list prior' says what each prior is; 'host list prior pedcc' shows its settings.")
      for finding in host.misplacedPlugins { console.warn(finding) }
      return
    }
    guard let known = Slot.all.first(where: { $0.name == slot }) else {
      throw UnknownName(slot, among: Slot.all.map(\.name), of: "slot")
    }
    guard let name else {
      console.say("\(known.name): \(known.summary)")
      console.say()
      let parts = catalog.descriptions(of: known)
      let width = (parts.map(\.name.count).max() ?? 0) + 2
      for part in parts { console.say("  \(pad(part.name, width))\(part.summary)  [\(part.plugin)]") }
      if parts.isEmpty { console.say("  none yet") }
      return
    }
    let part = try catalog.description(of: known, name)
    console.say("\(known.name) '\(part.name)': \(part.summary)  [\(part.plugin)]")
    let own = host.plugins.first { $0.name == part.plugin }?.paper
    if let paper = part.paper ?? own {
      console.say("\(paper.authors) (\(paper.year)): \(paper.title)")
    }
    console.say()
    let width = (part.settings.map(\.name.count).max() ?? 0) + 2
    let fallbacks = part.settings.map { $0.fallback == .null ? "-" : $0.fallback.text }
    let column = (fallbacks.map(\.count).max() ?? 0) + 2
    for (setting, fallback) in zip(part.settings, fallbacks) {
      let allowed = setting.allowed.map { " [\($0)]" } ?? ""
      console.say("  \(pad(setting.name, width))\(pad(fallback, column))\(setting.help)\(allowed)")
    }
    if part.settings.isEmpty { console.say("  no settings") }
    if part.isEstimatingSampler {
      console.say()
      console.say("draws follow an estimate of the training latents, and may leave the bounds of the prior's density")
    }
    let companions = part.companions.list
    if !companions.isEmpty {
      console.say()
      console.say("brings, unless the recipe says otherwise: \(companions.joined(separator: ", "))")
    }
  }
}

private func pad(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(width - text.count, 1))
}

extension Companions {
  /// Each companion as `slot name`.
  var list: [String] {
    func part(_ slot: String, _ choice: PartChoice?) -> [String] {
      choice.map { choice in
        let settings = choice.with.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.text)" }
        let weight = choice.weight == 1 ? "" : "\(choice.weight) "
        return ["\(slot) \(weight)\(choice.use)" + (settings.isEmpty ? "" : " (\(settings.joined(separator: ", ")))")]
      } ?? []
    }
    let parts = Slot.all.flatMap { part($0.name, self.parts[$0]) }
    let lists = (losses ?? []).flatMap { part("loss", $0) } + metrics.flatMap { part("metric", $0) }
    let settings = Slot.all.flatMap { slot in
      (self.settings[slot] ?? [:]).sorted { $0.key < $1.key }.map { "\(slot.name).\($0.key) \($0.value.text)" }
    }
    func projections(_ actions: [Action]) -> [PartChoice] {
      actions.compactMap { if case .project(let constraint, _, _) = $0 { constraint } else { nil } }
    }
    func text(_ step: Step) -> String {
      let count = step.repeat > 1 ? " \(step.repeat) times a batch" : ""
      if step.isGroup { return "a group\(count) of " + step.steps.map(text).joined(separator: " and ") }
      let losses = step.losses.flatMap { part("", $0) }.joined(separator: " +")
      let does = (losses.isEmpty ? [] : ["by\(losses)"]) + projections(step.after).flatMap { part("then", $0) }
      let own = step.ownBatch && step.repeat == 1 ? " on a batch of its own" : ""
      return (["a step that trains \(step.train.joined(separator: " and "))\(count)\(own)"] + does)
        .joined(separator: " ")
    }
    let steps = self.steps.map(text)
    let joining = Slot.all.flatMap { slot in
      (self.joining[slot] ?? []).flatMap { part("loss for \(slot.name)", $0) }
        + projections(self.after[slot] ?? []).flatMap { part("after steps of \(slot.name):", $0) }
    }
    return parts + lists + steps + joining + settings + (epochs.map { [counted($0, "epoch")] } ?? [])
      + (batch.map { ["batch \($0)"] } ?? [])
  }
}
