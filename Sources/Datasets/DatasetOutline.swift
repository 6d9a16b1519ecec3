import LatentKit

/// What is known of data without their examples: what a trained model needs to read others like them.
package struct DatasetOutline: Codable, Sendable, Equatable {
  private let name: String
  private let title: String
  private let areImages: Bool
  /// Before padding.
  private let inputShape: [Int]
  private let classNames: [String]?
  private let classCount: Int?
  private let unseenNames: [String]?
  private let featureNames: [String]?
  private let idColumn: String?

  /// The outline of some data.
  package init(of dataset: Dataset) {
    (name, title) = (dataset.name, dataset.title)
    (areImages, inputShape) = (dataset.train.areImages, dataset.inputShape)
    (classNames, classCount, unseenNames) = (dataset.classNames, dataset.classCount, dataset.unseenNames)
    (featureNames, idColumn) = (dataset.featureNames, dataset.idColumn)
  }

  /// Returns data of this outline whose training and test parts are one empty example each, which stands in for those that are not here.
  ///
  /// - Throws: `DatasetError` where the outline contradicts itself.
  package func dataset() throws -> Dataset {
    let standIn = try Examples(
      inputs: .zeros([1] + inputShape, dtype: areImages ? .uint8 : .float32),
      labels: classCount == nil ? nil : .zeros([1], dtype: .int64))
    var dataset = try Dataset(
      name: name, title: title, train: standIn, test: standIn, classNames: classNames, classCount: classCount,
      featureNames: featureNames, origin: .made("not here"))
    (dataset.unseenNames, dataset.idColumn) = (unseenNames, idColumn)
    return dataset
  }
}
