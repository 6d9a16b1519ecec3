/// The alphabets of Omniglot, sorted by name in each of the two files, and how many characters each has.
enum OmniglotAlphabets {
  /// An alphabet as the published archive calls it.
  struct Alphabet: Sendable {
    let name: String
    let count: Int
  }

  /// 964 characters.
  static let background = list(
    """
    Alphabet_of_the_Magi 20,Anglo-Saxon_Futhorc 29,Arcadian 26,Armenian 41,Asomtavruli_(Georgian) 40,Balinese 24,Bengali 46,\
    Blackfoot_(Canadian_Aboriginal_Syllabics) 14,Braille 26,Burmese_(Myanmar) 34,Cyrillic 33,Early_Aramaic 22,Futurama 26,\
    Grantha 43,Greek 24,Gujarati 48,Hebrew 22,Inuktitut_(Canadian_Aboriginal_Syllabics) 16,Japanese_(hiragana) 52,\
    Japanese_(katakana) 47,Korean 40,Latin 26,Malay_(Jawi_-_Arabic) 40,Mkhedruli_(Georgian) 41,N_Ko 33,\
    Ojibwe_(Canadian_Aboriginal_Syllabics) 14,Sanskrit 42,Syriac_(Estrangelo) 23,Tagalog 17,Tifinagh 55
    """)
  /// 659 characters.
  static let evaluation = list(
    """
    Angelic 20,Atemayar_Qelisayer 26,Atlantean 26,Aurek-Besh 26,Avesta 26,Ge_ez 26,Glagolitic 45,Gurmukhi 45,Kannada 41,\
    Keble 26,Malayalam 47,Manipuri 40,Mongolian 30,Old_Church_Slavonic_(Cyrillic) 45,Oriya 46,Sylheti 28,Syriac_(Serto) 23,\
    Tengwar 25,Tibetan 42,ULOG 26
    """)

  /// The names of all 50, those of the background first.
  static let names = (background + evaluation).map { $0.name.replacing("_", with: " ") }

  /// The alphabet of every character, and its number in it from 1.
  static let characters = (background + evaluation).enumerated().flatMap { alphabet, facts in
    (1...facts.count).map { (alphabet: alphabet, number: $0) }
  }

  /// The number of each alphabet's first character among all 1,623.
  static let firstCharacter: [String: Int] = {
    var (result, next) = ([String: Int](), 0)
    for alphabet in background + evaluation {
      result[alphabet.name] = next
      next += alphabet.count
    }
    return result
  }()

  /// The order of alphabets in the `.npz` files, found by their characters' shapes: sorted too, but some by another name.
  static func inArrayOrder(_ alphabets: [Alphabet]) -> [Alphabet] {
    let keys = [
      "Alphabet_of_the_Magi": "Magi", "Anglo-Saxon_Futhorc": "Fut", "Asomtavruli_(Georgian)": "Asomtavruli",
      "Burmese_(Myanmar)": "Myanmar", "Syriac_(Estrangelo)": "Estrangelo", "Japanese_(hiragana)": "Hiragana",
      "Japanese_(katakana)": "Katakana", "Malay_(Jawi_-_Arabic)": "Jawi", "Syriac_(Serto)": "Serto",
    ]
    return alphabets.sorted { (keys[$0.name] ?? $0.name) < (keys[$1.name] ?? $1.name) }
  }

  private static func list(_ text: String) -> [Alphabet] {
    text.split(separator: ",").map { entry in
      let words = entry.split(separator: " ")
      return Alphabet(name: String(words[0]), count: Int(words[1]) ?? 0)
    }
  }
}
