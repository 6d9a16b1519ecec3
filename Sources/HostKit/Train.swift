import ArgumentParser

struct Train: TrainingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a recipe and measure it, without sampling.",
    discussion: """
        host train Plugins/CSAE/recipes/csae-l.yaml --name csae-l
        host train --resume runs/csae-l
        host train --resume runs/csae-l --epochs 400

      To go on with a run needs its folder only, which has the recipe. With more epochs \
      a finished run goes on, and ends as if it had had them from the start.
      """)

  @OptionGroup(title: "Parts") var parts: PartOptions
  @OptionGroup(title: "Parts in other languages") var foreign: ForeignOptions
  @OptionGroup(title: "Run") var target: RunOptions
  @OptionGroup(title: "Repeats") var repeats: RepeatOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions
  @Flag(help: "Check and print the resolved recipe, and stop.") var dryRun = false

  func run(in host: Host) throws { try run(Purpose(command: "train", perClass: nil), in: host) }
}
