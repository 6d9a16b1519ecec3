// The modules that appear in signatures of this one, so that a script imports Runs and its plugins only.
@_exported import Datasets
@_exported import Files
@_exported import LatentKit
@_exported import Recipes
@_exported import Training
