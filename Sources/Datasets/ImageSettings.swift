import Files
import Foundation
import LatentKit

/// Settings of data `images`: pictures that lie in a folder or in an `.npz` file.
struct ImageSettings: ComponentConfig {
  @Setting(
    "Height of the images in pixels, and their width unless that is set; unset: that of the pictures, which must be one.",
    .within(1...4096))
  var size: Int? = nil
  @Setting("Width of the images in pixels, where it is not their height.", .within(1...4096))
  var width: Int? = nil
  @Setting(
    "How pictures of another proportion are fitted: 'crop' takes the middle, 'stretch' distorts, 'pad' adds margins. What shrinks is averaged over areas, what grows is interpolated linearly."
  )
  var fit = ImageFit.Shape.crop
  @Setting("'grey' (luma), 'rgb', or 'auto': grey where all pictures are stored as grey.")
  var colours = ImageFit.Colours.auto
  @Setting("Grey level of margins, and behind transparent pixels.", .within(0...255))
  var background = 255
  @Setting("A file that cannot be decoded: 'refuse', or 'skip' and count it.")
  var damaged = ImageList.Damaged.refuse
  @Setting(
    "Millions of pixels that a picture may have; larger ones are refused before they are decoded.", .within(1...1000))
  var megapixels = 50

  /// - Throws: `ConfigError` for a width without a height.
  func imageFit(at path: String) throws -> ImageFit {
    guard width == nil || size != nil else {
      throw ConfigError(path: "\(path).width", "found \(width ?? 0), expected data.size beside it; set that too")
    }
    return ImageFit(
      size: size.map { ($0, width ?? $0) }, shape: fit, colours: colours, background: UInt8(clamping: background))
  }
}

extension DatasetLibrary {
  /// The name of the data that are any pictures: `{use: images, with: {path: pictures}}`.
  public static let imagesName = "images"

  /// Any folder of pictures.
  static let images = DatasetEntry(
    imagesName, "any images: a folder of PNG and JPEG files, with a folder per class, or an .npz file", .images,
    own: ImageSettings.self, groups: [.place, .unpacking], published: nil
  ) { settings, request in
    let fit = try settings.imageFit(at: request.path)
    let place = try imagePlace(request)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder) else {
      throw FileError(place.path, "there is no such folder or file; name one by data.path or --data-dir")
    }
    guard isFolder.boolValue else {
      let limit = UnpackLimit(mebibytes: request.settings.unpackLimit)
      return try ImageArchive(contentsOf: place, limit: limit).dataset(fit)
    }
    return try ImageFolders(place).dataset(fit, pixels: settings.megapixels * 1_000_000, damaged: settings.damaged)
  }

  /// What `data.path` names; the data folder itself where it names nothing.
  private static func imagePlace(_ request: DataRequest) throws -> URL {
    guard let path = request.settings.path, !path.isEmpty else {
      guard let folder = request.folder else {
        throw ConfigError(
          path: "\(request.path).path",
          "found nothing, expected the folder of the images, as in data.path=pictures or --data-dir pictures")
      }
      return folder
    }
    return request.place(of: path, isFolder: true)
  }
}
