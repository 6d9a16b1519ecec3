import ArgumentParser

struct Compose: TrainingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model of parts by name, measure it, sample it and draw it.",
    discussion: """
      Exactly as typed, this trains on the embedded digits and leaves a folder to look at:

        host compose --encoder resnet --prior pedcc --sampler mh

      On a full data set, with other numbers:

        host compose --encoder resnet --prior pedcc --data mnist --epochs 5
        host compose recipe.yaml --sampler mh --set encoder.latent=16 --seed 3

      Several times, for mean and spread:

        host compose recipe.yaml --seeds 1,2,3
        host compose recipe.yaml --seeds 1,2,3 --folds 5
      """)

  @OptionGroup(title: "Parts") var parts: PartOptions
  @OptionGroup(title: "Parts in other languages") var foreign: ForeignOptions
  @OptionGroup(title: "Run") var target: RunOptions
  @OptionGroup(title: "Repeats") var repeats: RepeatOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions
  @Flag(help: "Check and print the resolved recipe, and stop.") var dryRun = false
  @Option(help: "Samples to draw of each class.") var perClass = 10

  func validate() throws {
    guard (1...1000).contains(perClass) else {
      throw ValidationError("--per-class is \(perClass), expected 1 to 1000")
    }
  }

  func run(in host: Host) throws { try run(Purpose(command: "compose", perClass: perClass), in: host) }
}
