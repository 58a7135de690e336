/// `data:` URLs (RFC 2397) with base64, the form in which several protocols carry media.
enum DataURL {
  /// The media of a URL; other URLs stay URLs.
  static func media(_ url: String) -> Media {
    guard url.hasPrefix("data:"), let comma = url.firstIndex(of: ",") else { return Media(type: "", source: .url(url)) }
    let head = url[url.index(url.startIndex, offsetBy: 5)..<comma]
    guard head.hasSuffix(";base64"), let data = Base64Text.standard(String(url[url.index(after: comma)...])) else {
      return Media(type: "", source: .url(url))
    }
    return Media(type: String(head.dropLast(7)), source: .base64(data))
  }

  /// Nothing for files that only their provider knows.
  static func text(_ media: Media) -> String? {
    switch media.source {
    case .base64(let data): "data:\(media.type);base64,\(data)"
    case .url(let url): url
    case .stored: nil
    }
  }
}
