// What the signatures of this module name: a script imports Runs and its plugins.
@_exported import Datasets
@_exported import Files
@_exported import LatentKit
@_exported import Recipes
@_exported import Training
