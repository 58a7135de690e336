/// One message of a conversation: a role and its parts in order.
package struct ChatMessage: Hashable, Sendable {
  package enum Role: UInt8, Hashable, Sendable {
    /// Also what newer OpenAI models call `developer`.
    case system
    case user
    case assistant
    /// The result of one or more tool calls: `toolResult` parts only.
    case tool
  }

  package var role: Role
  package var parts: [ContentPart]
  /// The speaker's name, where a protocol knows one.
  package var name: String?
  /// The provider may cache the prompt up to the end of this message.
  package var endsCachedPrefix = false

  package init(_ role: Role, _ parts: [ContentPart], name: String? = nil) {
    self.role = role
    self.parts = parts
    self.name = name
  }

  package init(_ role: Role, text: String) {
    self.init(role, [.text(text)])
  }

  /// All text parts, joined without anything between them.
  package var text: String {
    parts.reduce(into: "") { text, part in
      if case .text(let piece) = part { text += piece }
    }
  }

  package var toolCalls: [ToolCall] {
    parts.compactMap { part in
      if case .toolCall(let call) = part { call } else { nil }
    }
  }
}

package enum ContentPart: Hashable, Sendable {
  case text(String)
  case image(Media)
  case audio(Media)
  case video(Media)
  /// A document, for example a PDF.
  case file(Media)
  /// The model declined, in its own words.
  case refusal(String)
  case reasoning(ReasoningPart)
  case toolCall(ToolCall)
  case toolResult(ToolResult)
}

package struct Media: Hashable, Sendable {
  package enum Source: Hashable, Sendable {
    /// Standard alphabet, padded.
    case base64(String)
    case url(String)
    /// A file the provider stores; only its own account knows it.
    case stored(id: String)
  }

  /// For example `image/png`; empty when the client did not say, as with a URL.
  package var type: String
  package var source: Source
  package var name: String?
  /// OpenAI's `detail` of an image: `auto`, `low`, `high`.
  package var detail: String?

  package init(type: String, source: Source, name: String? = nil, detail: String? = nil) {
    self.type = type
    self.source = source
    self.name = name
    self.detail = detail
  }
}

package struct ReasoningPart: Hashable, Sendable {
  package var text: String
  /// The provider's proof that the thought is its own; goes back unchanged.
  package var signature: String?
  /// The text is the provider's ciphertext.
  package var isRedacted: Bool

  package init(_ text: String, signature: String? = nil, isRedacted: Bool = false) {
    self.text = text
    self.signature = signature
    self.isRedacted = isRedacted
  }
}

package struct ToolCall: Hashable, Sendable {
  package var id: String
  package var name: String
  /// JSON text as the model wrote it: may be empty, may be no JSON at all. See `ToolArguments`.
  package var arguments: String
  /// Gemini's `thoughtSignature` of the call; goes back unchanged.
  package var signature: String?

  package init(id: String, name: String, arguments: String, signature: String? = nil) {
    self.id = id
    self.name = name
    self.arguments = arguments
    self.signature = signature
  }
}

package struct ToolResult: Hashable, Sendable {
  package var callID: String
  /// The tool's name, looked up from the call when the client did not say.
  package var name: String?
  /// Text and media parts.
  package var content: [ContentPart]
  package var isError: Bool

  package init(callID: String, name: String? = nil, content: [ContentPart], isError: Bool = false) {
    self.callID = callID
    self.name = name
    self.content = content
    self.isError = isError
  }

  package var text: String { ChatMessage(.tool, content).text }
}

/// Arguments of a tool call between their two forms: JSON text (OpenAI) and JSON objects (everybody else).
package enum ToolArguments {
  /// Text to object: empty text is an empty object; what is no object is kept under `_raw`.
  package static func object(_ text: String) -> JSONValue {
    let bytes = Array(text.utf8)
    if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }) { return .object([]) }
    if let value = try? JSONReader.read(bytes), case .object = value { return value }
    return .object([JSONMember(name: "_raw", value: .string(text))])
  }

  /// The other way; nothing, as some send for a call without arguments, is an empty object.
  package static func text(_ value: JSONValue?) -> String {
    guard let value, !value.isNull else { return "{}" }
    return value.jsonText
  }
}
