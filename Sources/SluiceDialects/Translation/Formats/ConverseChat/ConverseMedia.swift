/// Media types and the format names that Converse has for them.
enum ConverseMedia {
  private static let documents: [(String, String)] = [
    ("pdf", "application/pdf"), ("csv", "text/csv"), ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), ("html", "text/html"),
    ("txt", "text/plain"), ("md", "text/markdown"),
  ]

  static func documentType(_ format: String) -> String { documents.first { $0.0 == format }?.1 ?? "" }

  static func documentFormat(_ type: String) -> String? {
    let plain = String(type.prefix { $0 != ";" })
    return documents.first { $0.1 == plain }?.0
  }

  /// With documents that have different names, as Converse demands: those without one are numbered.
  static func named(_ messages: [ChatMessage]) -> [ChatMessage] {
    var messages = messages
    var used: Set<String> = []
    var next: [String: Int] = [:]
    for index in messages.indices {
      messages[index].parts = named(messages[index].parts, &used, &next)
    }
    return messages
  }

  private static func named(
    _ parts: [ContentPart], _ used: inout Set<String>, _ next: inout [String: Int]
  ) -> [ContentPart] {
    var parts = parts
    for index in parts.indices {
      switch parts[index] {
      case .file(var media):
        media.name = unused(documentName(media.name), &used, &next)
        parts[index] = .file(media)
      case .toolResult(var result) where result.content.contains(where: \.isMedia):
        result.content = named(result.content, &used, &next)
        parts[index] = .toolResult(result)
      default: break
      }
    }
    return parts
  }

  private static func unused(_ name: String, _ used: inout Set<String>, _ next: inout [String: Int]) -> String {
    var candidate = name
    while !used.insert(candidate).inserted {
      let number = (next[name] ?? 1) + 1
      next[name] = number
      candidate = "\(name)-\(number)"
    }
    return candidate
  }

  /// The block for a part; nothing where Converse has none.
  static func block(_ part: ContentPart) throws(TranslationRefusal) -> JSONValue? {
    switch part {
    case .image(let media):
      let format = WireText.subtype(media.type)
      return .record([
        "image": .record(["format": .string(format == "jpg" ? "jpeg" : format), "source": try source(media)])
      ])
    case .audio(let media):
      let format = WireText.subtype(media.type)
      return .record([
        "audio": .record(["format": .string(format == "mpeg" ? "mp3" : format), "source": try source(media)])
      ])
    case .video(let media):
      return .record([
        "video": .record(["format": .string(WireText.subtype(media.type)), "source": try source(media)])
      ])
    case .file(let media):
      guard let format = documentFormat(media.type) else {
        throw TranslationRefusal("Bedrock takes no documents of type '\(media.type.prefix(80))'.", field: "messages")
      }
      return .record([
        "document": .record([
          "format": .string(format), "name": .string(documentName(media.name)), "source": try source(media),
        ])
      ])
    default: return nil
    }
  }

  private static func source(_ media: Media) throws(TranslationRefusal) -> JSONValue {
    switch media.source {
    case .base64(let data): return .record(["bytes": .string(data)])
    case .url(let url) where url.hasPrefix("s3://"): return .record(["s3Location": .record(["uri": .string(url)])])
    case .url:
      throw TranslationRefusal(
        "Bedrock does not fetch media from URLs. Send the data itself as base64.", field: "messages")
    case .stored:
      throw TranslationRefusal("Bedrock does not know files that another provider stores.", field: "messages")
    }
  }

  /// Letters, digits, single blanks, hyphens, parentheses and brackets only.
  private static func documentName(_ name: String?) -> String {
    let bytes = (name ?? "").utf8.map { byte -> UInt8 in
      WireText.isAlphanumeric(byte) || [0x2D, 0x28, 0x29, 0x5B, 0x5D].contains(byte) ? byte : 0x2D
    }
    return bytes.isEmpty ? "document" : String(decoding: bytes.prefix(160), as: UTF8.self)
  }

  /// The part that a client's block holds; nothing when it is no media.
  static func part(_ block: WireObject) throws(TranslationRefusal) -> ContentPart? {
    if let image = try block.object("image") {
      return .image(try media(image, "image/" + image.requiredText("format")))
    }
    if let audio = try block.object("audio") {
      return .audio(try media(audio, "audio/" + audio.requiredText("format")))
    }
    if let video = try block.object("video") {
      return .video(try media(video, "video/" + video.requiredText("format")))
    }
    guard let document = try block.object("document") else { return nil }
    try document.refuse("citations")
    var file = try media(document, documentType(document.text("format") ?? "txt"))
    file.name = try document.text("name")
    return .file(file)
  }

  private static func media(_ block: WireObject, _ type: String) throws(TranslationRefusal) -> Media {
    guard let source = try block.object("source") else { throw block.refusal("source", "'source' is missing.") }
    if let location = try source.object("s3Location") {
      return Media(type: type, source: .url(try location.requiredText("uri")))
    }
    guard let data = Base64Text.standard(try source.requiredText("bytes")) else {
      throw source.refusal("bytes", "'\(source.place("bytes"))' is not base64.")
    }
    return Media(type: type, source: .base64(data))
  }
}
