import ArgumentParser

struct Train: PartCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a recipe and measure it, without sampling.",
    discussion: """
        host train Plugins/CSAE/recipes/csae-l.yaml --name csae-l
        host train --resume --name csae-l

      To go on with a run needs its name only: its folder has the recipe.
      """)

  @OptionGroup var options: TrainingOptions
  var foreign: ForeignOptions { options.foreign }

  func run(in host: Host) throws { try options.run(Purpose(command: "train", perClass: nil), in: host) }
}
