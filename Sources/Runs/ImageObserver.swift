import Figures
import LatentKit
import Recipes
import Reports
import Training

/// Decodes the same latent noise and reconstructs the same test images after each epoch of a stage that trains the decoder: for
/// TensorBoard, and for the strips of the report. Training keeps its bits.
final class ImageObserver: TrainingObserver {
  private let session: Session
  private let watched: WatchedImages
  private let file: EventFile
  private let observer: (any RunObserver)?
  private var strip: ImageStrip

  /// - Parameter observer: Notified of write errors.
  /// - Returns: Nil unless the recipe has `watch: true` and a decoder of images.
  init?(_ session: Session, in folder: RunFolder, events file: EventFile, reportingTo observer: (any RunObserver)?)
    throws
  {
    guard session.recipe.watch == true else { return nil }
    guard let watched = try WatchedImages(session) else {
      observer?.noticed(.note("the model decodes no images, so that there are none to watch"))
      return nil
    }
    (self.session, self.watched, self.file, self.observer) = (session, watched, file, observer)
    strip = try ImageStrip(of: session.recipe, in: folder)
  }

  func progressed(_ progress: TrainingProgress) {}
  func note(_ sentence: String) {}

  func finishedEpoch(_ record: EpochRecord, of epochs: Int) {
    guard strip.epochs.contains(where: { $0.stage == record.stage }) else { return }
    do {
      let range = session.training.inputRange ?? 0...1
      let (samples, made) = try watched.images()
      for (name, grid) in [
        ("samples", try ImageGrid(samples, range: range)),
        ("reconstructions", try ImageGrid.pairs(watched.originals, made, range: range)),
      ] {
        let picture = grid.tiles
        file.image(name, png: try picture.png(), width: picture.width, height: picture.height, step: record.iteration)
      }
      try strip.keep(
        [(.samples, samples), (.reconstructions, made)], range: range, stage: record.stage, epoch: record.epoch)
    } catch { observer?.noticed(.warning("no images of epoch \(record.epoch): \(error)")) }
  }
}
