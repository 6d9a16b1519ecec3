import Files
import Foundation
import LatentKit

/// Caltech 101 Silhouettes: matrices `train_data`, `train_labels`, `val_data`, … of a MAT file, images column by column
/// with 0 for the object, labels from 1.
struct SilhouetteFiles: PublishedImages {
  @Setting("true: the object is bright (255) on dark; false: as published, dark on bright.")
  var invert = true
  @Setting("true: the 2,264 images that are published for validation are training images too, 6,364 in all.")
  var mergeValidation = false

  func dataset(_ description: DatasetDescription, _ files: [URL]) throws -> Dataset {
    let file = try MATFile(contentsOf: files[0])
    func part(_ name: String) throws -> Examples {
      let labels = try file.matrix("\(name)_labels")
      return try Examples(
        inputs: MATImages.images(
          file.matrix("\(name)_data"), areRows: true, invert: invert, place: "\(file.path), matrix '\(name)_data'"),
        labels: MATImages.labels(
          labels, classCount: description.classCount, place: "\(file.path), matrix '\(name)_labels'"))
    }
    var (train, validation) = (try part("train"), Optional(try part("val")))
    if mergeValidation, let more = validation {
      train = try Examples(
        inputs: .concatenate([train.inputs, more.inputs]),
        labels: .concatenate([train.labels, more.labels].compactMap { $0 }))
      validation = nil
    }
    return try Dataset(
      name: description.name, title: description.title, train: train, validation: validation, test: part("test"),
      classNames: description.classNames, origin: .files(files))
  }

  /// As the file's `classnames` has them, in the order of its labels.
  static let classNames = """
    Airplanes Side 2,Faces 2,Faces 3,Leopards,Motorbikes 16,accordion,anchor,ant,barrel,bass,beaver,binocular,bonsai,brain,\
    brontosaurus,buddha,butterfly,camera,cannon,car side,ceiling fan,cellphone,chair,chandelier,cougar body,cougar face,crab,\
    crayfish,crocodile,crocodile head,cup,dalmatian,dollar bill,dolphin,dragonfly,electric guitar,elephant,emu,euphonium,ewer,\
    ferry,flamingo,flamingo head,garfield,gerenuk,gramophone,grand piano,hawksbill,headphone,hedgehog,helicopter,ibis,\
    inline skate,joshua tree,kangaroo,ketch,lamp,laptop,llama,lobster,lotus,mandolin,mayfly,menorah,metronome,minaret,\
    nautilus,octopus,okapi,pagoda,panda,pigeon,pizza,platypus,pyramid,revolver,rhino,rooster,saxophone,schooner,scissors,\
    scorpion,sea horse,snoopy,soccer ball,stapler,starfish,stegosaurus,stop sign,strawberry,sunflower,tick,trilobite,umbrella,\
    watch,water lilly,wheelchair,wild cat,windsor chair,wrench,yin yang
    """.split(separator: ",").map(String.init)
}

/// Omniglot as 28x28 grey images in `chardata.mat`: `data` and `testdata` with an image in each column, column by column,
/// and `target` and `testtarget` with a 1 for the alphabet.
struct CharacterData: PublishedImages {
  func dataset(_ description: DatasetDescription, _ files: [URL]) throws -> Dataset {
    // Doubles: 153 MB of images alone.
    let file = try MATFile(contentsOf: files[0], limit: UnpackLimit(mebibytes: 1024))
    func part(_ name: String, _ target: String) throws -> Examples {
      let labels = try file.matrix(target)
      return try Examples(
        inputs: MATImages.images(
          file.matrix(name), areRows: false, invert: false, place: "\(file.path), matrix '\(name)'"),
        labels: MATImages.oneHot(labels, classCount: description.classCount, place: "\(file.path), matrix '\(target)'"))
    }
    return try Dataset(
      name: description.name, title: description.title, train: part("data", "target"),
      test: part("testdata", "testtarget"), classNames: description.classNames, origin: .files(files))
  }
}

/// Matrices as images and labels.
enum MATImages {
  /// `[count, 1, 28, 28]`, UInt8, from values 0 to 1 of images that are stored column by column.
  static func images(_ matrix: MATFile.Matrix, areRows: Bool, invert: Bool, place: String) throws -> Tensor {
    let (count, size) = areRows ? (matrix.rows, matrix.columns) : (matrix.columns, matrix.rows)
    guard size == 784 else {
      throw FileError(place, "found images of \(size) pixels, expected 784, 28 x 28")
    }
    if let position = matrix.values.firstIndex(where: { !($0 >= 0 && $0 <= 1) }) {
      throw FileError(place, "found \(matrix.values[position]), expected pixels from 0 to 1")
    }
    let values = areRows ? matrix.byRow : matrix.values
    let bytes = Data(values.map { UInt8(((invert ? 1 - $0 : $0) * 255).rounded()) })
    return try Tensor(bytes: bytes, shape: [count, 1, 28, 28], dtype: .uint8).transposed().contiguous()
  }

  /// Labels from 0, of a column of whole numbers from 1.
  static func labels(_ matrix: MATFile.Matrix, classCount: Int, place: String) throws -> Tensor {
    guard matrix.columns == 1 || matrix.rows == 1 else {
      throw FileError(place, "found \(matrix.rows) x \(matrix.columns) values, expected one label for each image")
    }
    return try Tensor(
      matrix.values.enumerated().map { position, value in
        guard let label = Int64(exactly: value), (1...Int64(classCount)).contains(label) else {
          throw FileError(place, "found label \(value) at position \(position), expected 1 to \(classCount)")
        }
        return label - 1
      })
  }

  /// Labels from 0, of a matrix with a column for each image and one 1 in it.
  static func oneHot(_ matrix: MATFile.Matrix, classCount: Int, place: String) throws -> Tensor {
    guard matrix.rows == classCount else {
      throw FileError(place, "found \(matrix.rows) rows, expected \(classCount), one for each alphabet")
    }
    return try Tensor(
      (0..<matrix.columns).map { column in
        let values = matrix.values[(column * classCount)..<((column + 1) * classCount)]
        guard let place = values.firstIndex(of: 1), values.allSatisfy({ $0 == 0 || $0 == 1 }), values.reduce(0, +) == 1
        else { throw FileError(place, "found no single 1 in column \(column + 1), expected the image's alphabet") }
        return Int64(place - column * classCount)
      })
  }
}
