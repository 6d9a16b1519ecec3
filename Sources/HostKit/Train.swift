import ArgumentParser

struct Train: PartCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a recipe and measure it, without sampling.",
    discussion: """
        host train Plugins/CSAE/recipes/csae-l.yaml --name csae-l
        host train --resume runs/csae-l
        host train --resume runs/csae-l --epochs 400

      To go on with a run needs its folder only, which has the recipe. With more epochs \
      a finished run goes on, and ends as if it had had them from the start.
      """)

  @OptionGroup var options: TrainingOptions
  var foreign: ForeignOptions { options.foreign }

  func run(in host: Host) throws { try options.run(Purpose(command: "train", perClass: nil), in: host) }
}
