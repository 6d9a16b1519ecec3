import ArgumentParser
import Datasets
import Foundation
import LatentKit

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "List, verify and fetch data sets.",
    subcommands: [ListData.self, VerifyData.self, FetchData.self])

  struct ListData: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "The known data sets and where they are.")
    @OptionGroup var machine: MachineOptions

    func run() throws {
      for known in DatasetLibrary.known {
        say("\(known.name): \(known.title)")
        say("    \(known.status(in: machine.dataFolder))")
      }
      say("\(DatasetLibrary.tableName): any table, delimited text, .npy or .npz")
      say("    by --data \(DatasetLibrary.tableName) --set data.path=FILE")
    }
  }

  struct VerifyData: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "verify", abstract: "Check files, checksums, counts and labels of a data set.")
    @Argument(help: "The data set.") var name: String
    @OptionGroup var machine: MachineOptions

    func run() throws {
      let report = try DatasetVerifier.verify(name, in: machine.dataFolder)
      say(report.description)
      if !report.isGood { throw ExitCode.failure }
    }
  }

  struct FetchData: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "fetch", abstract: "Download a data set from its public place, with checksums; resumes.")
    @Argument(help: "The data set.") var name: String
    @OptionGroup var machine: MachineOptions

    func run() throws {
      let folder = machine.namedDataFolder ?? URL(fileURLWithPath: "data")
      try DatasetFetcher.fetch(name, into: folder) { warn("\($0)") }
      say("\(name) is in \(folder.relativePath); use it with --data-dir \(folder.relativePath)")
    }
  }
}
