@_exported import Runs
