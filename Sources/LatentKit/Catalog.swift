/// A place in a recipe that a part can fill.
public enum Slot: String, Sendable, CaseIterable, Codable {
  case transform, encoder, decoder, classifier, discriminator, prior, noise, sampler, loss, constraint, metric,
    optimizer, schedule

  /// What the slot is for, in one line.
  public var summary: String {
    switch self {
    case .transform: "changes rows of numbers before the model, fitted on the training part"
    case .encoder: "maps inputs to latents"
    case .decoder: "maps latents back to inputs"
    case .classifier: "maps latents to class scores"
    case .discriminator: "tells real inputs from made ones"
    case .prior: "the density that latents should follow"
    case .noise: "disturbs latents on their way to the decoder, in training"
    case .sampler: "draws latents to decode"
    case .loss: "what training makes small"
    case .constraint: "the set that weights are projected onto"
    case .metric: "what is measured"
    case .optimizer: "how a step changes weights"
    case .schedule: "how the learning rate goes"
    }
  }
}

/// A part by name with its settings: `{use: pedcc, with: {classes: 20}}`.
public struct PartChoice: Sendable, Equatable {
  public var use: String
  public var with: [String: Value]
  /// A factor; only losses have one.
  public var weight: Double

  public init(_ use: String, with settings: [String: Value] = [:], weight: Double = 1) {
    self.use = use
    self.with = settings
    self.weight = weight
  }
}

/// What goes with a part unless the recipe says otherwise. All of it is written into the resolved recipe.
public struct Companions: Sendable {
  public var decoder: PartChoice?
  public var classifier: PartChoice?
  public var discriminator: PartChoice?
  public var prior: PartChoice?
  public var noise: PartChoice?
  public var sampler: PartChoice?
  public var losses: [PartChoice]?
  public var metrics: [PartChoice]?
  public var optimizer: PartChoice?
  public var schedule: PartChoice?
  public var epochs: Int?
  public var batch: Int?
  /// Settings of the data, `pad` say.
  public var data: [String: Value]
  /// Settings of the encoder, `code: gaussian` say.
  public var encoder: [String: Value]

  public init(
    decoder: PartChoice? = nil, classifier: PartChoice? = nil, discriminator: PartChoice? = nil,
    prior: PartChoice? = nil, noise: PartChoice? = nil, sampler: PartChoice? = nil, losses: [PartChoice]? = nil,
    metrics: [PartChoice]? = nil, optimizer: PartChoice? = nil, schedule: PartChoice? = nil, epochs: Int? = nil,
    batch: Int? = nil, data: [String: Value] = [:], encoder: [String: Value] = [:]
  ) {
    self.decoder = decoder
    self.classifier = classifier
    self.discriminator = discriminator
    self.prior = prior
    self.noise = noise
    self.sampler = sampler
    self.losses = losses
    self.metrics = metrics
    self.optimizer = optimizer
    self.schedule = schedule
    self.epochs = epochs
    self.batch = batch
    self.data = data
    self.encoder = encoder
  }
}

/// A part in a catalog: how it is called, described and built.
public struct Entry<Part>: Sendable {
  public let name: String
  /// What it does and where it comes from, in one line.
  public let summary: String
  public let companions: Companions
  /// Settings in order: name, default, help.
  public let settings: [PartDescription.Setting]
  /// The plugin that brought it.
  public internal(set) var plugin: String = ""
  private let build: @Sendable ([String: Value], String, BuildContext) throws -> Part
  private let check: @Sendable ([String: Value], String) throws -> [String: Value]

  init<C: Component>(
    _ name: String, _ type: C.Type, _ summary: String, _ companions: Companions,
    _ open: @escaping @Sendable (C) -> Part
  ) {
    self.name = name
    self.summary = summary
    self.companions = companions
    let defaults = (try? C.Config().values) ?? [:]
    settings = C.Config.help.map { .init(name: $0.key, fallback: defaults[$0.key] ?? .null, help: $0.value) }
    build = { settings, path, context in open(try C(C.Config(settings, at: path), in: context)) }
    check = { settings, path in try C.Config(settings, at: path).values }
  }

  /// Builds the part with some settings replaced; `path` names their place in the recipe.
  public func make(_ settings: [String: Value], at path: String, in context: BuildContext) throws -> Part {
    try build(settings, path, context)
  }

  /// Every setting's value with some replaced: what the resolved recipe shows.
  public func resolved(_ settings: [String: Value], at path: String) throws -> [String: Value] {
    try check(settings, path)
  }
}

/// One part that a plugin brings: data, nothing runs on import.
public enum Contribution: Sendable {
  case transform(Entry<any Transform>)
  case encoder(Entry<any Encoder>)
  case decoder(Entry<any Decoder>)
  case classifier(Entry<any Classifier>)
  case discriminator(Entry<any Discriminator>)
  case prior(Entry<any Prior>)
  case noise(Entry<any LatentNoise>)
  case sampler(Entry<any Sampler>)
  case loss(Entry<any Loss>)
  case constraint(Entry<any Constraint>)
  case metric(Entry<any Metric>)
  case optimizer(Entry<any OptimizerRule>)
  case schedule(Entry<any RateSchedule>)
}

extension Contribution {
  public static func transform<C: Transform>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions()
  ) -> Contribution { .transform(Entry(name, type, summary, companions) { $0 }) }

  public static func encoder<C: Encoder>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions()
  ) -> Contribution { .encoder(Entry(name, type, summary, companions) { $0 }) }

  public static func decoder<C: Decoder>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions()
  ) -> Contribution { .decoder(Entry(name, type, summary, companions) { $0 }) }

  public static func classifier<C: Classifier>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions()
  ) -> Contribution { .classifier(Entry(name, type, summary, companions) { $0 }) }

  public static func discriminator<C: Discriminator>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions()
  ) -> Contribution { .discriminator(Entry(name, type, summary, companions) { $0 }) }

  public static func prior<C: Prior>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions()
  ) -> Contribution { .prior(Entry(name, type, summary, companions) { $0 }) }

  public static func noise<C: LatentNoise>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions()
  ) -> Contribution { .noise(Entry(name, type, summary, companions) { $0 }) }

  public static func sampler<C: Sampler>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions()
  ) -> Contribution { .sampler(Entry(name, type, summary, companions) { $0 }) }

  public static func loss<C: Loss>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions()
  ) -> Contribution { .loss(Entry(name, type, summary, companions) { $0 }) }

  public static func constraint<C: Constraint>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions()
  ) -> Contribution { .constraint(Entry(name, type, summary, companions) { $0 }) }

  public static func metric<C: Metric>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions()
  ) -> Contribution { .metric(Entry(name, type, summary, companions) { $0 }) }

  public static func optimizer<C: OptimizerRule>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions()
  ) -> Contribution { .optimizer(Entry(name, type, summary, companions) { $0 }) }

  public static func schedule<C: RateSchedule>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions()
  ) -> Contribution { .schedule(Entry(name, type, summary, companions) { $0 }) }
}

/// Where a method was published.
public struct Paper: Sendable {
  public let title: String
  public let authors: String
  public let year: Int
  /// What it says, in a sentence or two.
  public let summary: String

  public init(title: String, authors: String, year: Int, summary: String) {
    self.title = title
    self.authors = authors
    self.year = year
    self.summary = summary
  }
}

/// A paper's parts. A target `Plugins/X` declares `public enum XPlugin: Plugin`.
public protocol Plugin: SendableMetatype {
  static var paper: Paper { get }
  static var contributions: [Contribution] { get }
}

extension Plugin {
  /// What lists call the plugin: `CSAE` for `CSAEPlugin`.
  public static var name: String { "\(Self.self)".replacing(/Plugin$/, with: "") }
}

/// Every part that a program knows, by slot and name.
public struct Catalog: Sendable {
  public private(set) var transforms = Table<any Transform>(.transform)
  public private(set) var encoders = Table<any Encoder>(.encoder)
  public private(set) var decoders = Table<any Decoder>(.decoder)
  public private(set) var classifiers = Table<any Classifier>(.classifier)
  public private(set) var discriminators = Table<any Discriminator>(.discriminator)
  public private(set) var priors = Table<any Prior>(.prior)
  public private(set) var noises = Table<any LatentNoise>(.noise)
  public private(set) var samplers = Table<any Sampler>(.sampler)
  public private(set) var losses = Table<any Loss>(.loss)
  public private(set) var constraints = Table<any Constraint>(.constraint)
  public private(set) var metrics = Table<any Metric>(.metric)
  public private(set) var optimizers = Table<any OptimizerRule>(.optimizer)
  public private(set) var schedules = Table<any RateSchedule>(.schedule)

  /// - Throws: `CatalogError` where two plugins bring a part of one name.
  public init(_ plugins: [any Plugin.Type]) throws {
    for plugin in plugins {
      let name = plugin.name
      for contribution in plugin.contributions {
        switch contribution {
        case .transform(let entry): try transforms.add(entry, from: name)
        case .encoder(let entry): try encoders.add(entry, from: name)
        case .decoder(let entry): try decoders.add(entry, from: name)
        case .classifier(let entry): try classifiers.add(entry, from: name)
        case .discriminator(let entry): try discriminators.add(entry, from: name)
        case .prior(let entry): try priors.add(entry, from: name)
        case .noise(let entry): try noises.add(entry, from: name)
        case .sampler(let entry): try samplers.add(entry, from: name)
        case .loss(let entry): try losses.add(entry, from: name)
        case .constraint(let entry): try constraints.add(entry, from: name)
        case .metric(let entry): try metrics.add(entry, from: name)
        case .optimizer(let entry): try optimizers.add(entry, from: name)
        case .schedule(let entry): try schedules.add(entry, from: name)
        }
      }
    }
  }

  /// The entries of a slot without their parts' type: for lists and for checks that build nothing.
  public func descriptions(of slot: Slot) -> [PartDescription] {
    switch slot {
    case .transform: transforms.descriptions
    case .encoder: encoders.descriptions
    case .decoder: decoders.descriptions
    case .classifier: classifiers.descriptions
    case .discriminator: discriminators.descriptions
    case .prior: priors.descriptions
    case .noise: noises.descriptions
    case .sampler: samplers.descriptions
    case .loss: losses.descriptions
    case .constraint: constraints.descriptions
    case .metric: metrics.descriptions
    case .optimizer: optimizers.descriptions
    case .schedule: schedules.descriptions
    }
  }

  /// The description of one part.
  /// - Throws: `UnknownName` with the known names and the nearest one.
  public func description(of slot: Slot, _ name: String) throws -> PartDescription {
    let all = descriptions(of: slot)
    guard let found = all.first(where: { $0.name == name }) else {
      throw UnknownName(name, among: all.map(\.name), of: slot.rawValue)
    }
    return found
  }
}

/// One slot of a catalog.
public struct Table<Part>: Sendable {
  public let slot: Slot
  public private(set) var entries: [Entry<Part>] = []

  init(_ slot: Slot) { self.slot = slot }

  /// The entry of a name.
  /// - Throws: `UnknownName` with the known names and the nearest one.
  public subscript(_ name: String) -> Entry<Part> {
    get throws {
      guard let entry = entries.first(where: { $0.name == name }) else {
        throw UnknownName(name, among: entries.map(\.name), of: slot.rawValue)
      }
      return entry
    }
  }

  mutating func add(_ entry: Entry<Part>, from plugin: String) throws {
    if let other = entries.first(where: { $0.name == entry.name }) {
      throw CatalogError(
        "plugins \(other.plugin) and \(plugin) both bring \(slot.rawValue) '\(entry.name)'; rename one of them")
    }
    var entry = entry
    entry.plugin = plugin
    entries.append(entry)
  }

  var descriptions: [PartDescription] {
    entries.map { entry in
      PartDescription(
        slot: slot, name: entry.name, summary: entry.summary, plugin: entry.plugin, companions: entry.companions,
        settings: entry.settings,
        resolve: { try entry.resolved($0, at: $1) })
    }
  }
}

/// What a catalog says about a part.
public struct PartDescription: Sendable {
  public struct Setting: Sendable {
    public let name: String
    public let fallback: Value
    public let help: String
  }

  public let slot: Slot
  public let name: String
  public let summary: String
  public let plugin: String
  public let companions: Companions
  public let settings: [Setting]
  private let resolve: @Sendable ([String: Value], String) throws -> [String: Value]

  init(
    slot: Slot, name: String, summary: String, plugin: String, companions: Companions, settings: [Setting],
    resolve: @escaping @Sendable ([String: Value], String) throws -> [String: Value]
  ) {
    self.slot = slot
    self.name = name
    self.summary = summary
    self.plugin = plugin
    self.companions = companions
    self.settings = settings
    self.resolve = resolve
  }

  /// Every setting's value with some replaced.
  /// - Throws: `ConfigError` for a setting that is unknown or of the wrong kind.
  public func resolved(_ settings: [String: Value], at path: String) throws -> [String: Value] {
    try resolve(settings, path)
  }
}

public struct CatalogError: Error, CustomStringConvertible, Equatable {
  public let description: String
  public init(_ description: String) { self.description = description }
}
