import ArgumentParser
import Datasets
import Foundation
import LatentKit

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "List, verify and fetch data sets.",
    subcommands: [ListData.self, VerifyData.self, FetchData.self])

  struct ListData: PartCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "The known data sets and where they are.")
    @OptionGroup var foreign: ForeignOptions
    @OptionGroup var machine: MachineOptions

    func run(in host: Host) throws {
      try machine.requireDataFolder()
      if let fault = machine.environmentFault() { host.console.warn("warning: \(fault)") }
      for entry in try host.catalog.datasets.entries {
        host.console.say("\(entry.name): \(entry.summary)")
        if let published = entry.published { host.console.say("    \(published.size)") }
        if let status = entry.status(in: machine.dataFolder) { host.console.say("    \(status)") }
      }
      host.console.say("'host list data NAME' shows the settings of a set.")
    }
  }

  struct VerifyData: HostSubcommand {
    static let configuration = CommandConfiguration(
      commandName: "verify", abstract: "Check files, checksums, counts and labels of a data set.")
    @Argument(help: "The data set.") var name: String
    @OptionGroup var machine: MachineOptions

    func run(in host: Host) throws {
      try machine.requireDataFolder()
      let report = try DatasetVerifier.verify(host.catalog.datasets.fetchable(name), in: machine.dataFolder)
      host.console.say(lines: report.description)
      if !report.isGood { throw ExitCode.failure }
    }
  }

  struct FetchData: HostSubcommand {
    static let configuration = CommandConfiguration(
      commandName: "fetch", abstract: "Download a data set from its public place, with checksums; resumes.")
    @Argument(help: "The data set.") var name: String
    @OptionGroup var machine: MachineOptions

    func run(in host: Host) throws {
      let folder = machine.namedDataFolder ?? URL(fileURLWithPath: "data")
      try DatasetFetcher.fetch(host.catalog.datasets.fetchable(name), into: folder) { host.console.warn("\($0)") }
      host.console.say("\(name) is in \(folder.relativePath); use it with --data-dir \(folder.relativePath)")
    }
  }
}
