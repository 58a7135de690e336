/// Reads the parts of a candidate. Calls without an id get one that follows from the answer's id, their place and their
/// content.
struct GeminiPartReader: Sendable {
  var responseID: String
  /// Calls so far.
  private(set) var calls = 0

  init(responseID: String = "") { self.responseID = responseID }

  /// Nothing for empty text and for parts that no other protocol knows.
  mutating func read(_ part: JSONValue) -> ContentPart? {
    if let call = part.given("functionCall") { return .toolCall(toolCall(call, part)) }
    if let text = part["text"]?.string {
      guard !text.isEmpty else { return nil }
      return part["thought"]?.bool == true ? .reasoning(ReasoningPart(text)) : .text(text)
    }
    guard let data = part.given("inlineData"), let base64 = data["data"]?.string.flatMap(Base64Text.standard) else {
      return nil
    }
    return GeminiContentReader.media(Media(type: data["mimeType"]?.string ?? "", source: .base64(base64)))
  }

  private mutating func toolCall(_ call: JSONValue, _ part: JSONValue) -> ToolCall {
    defer { calls += 1 }
    let name = call["name"]?.string ?? ""
    let arguments = ToolArguments.text(call["args"])
    var id = call["id"]?.string ?? ""
    if id.isEmpty { id = "call_" + ForeignNames.digest("\(responseID) \(calls) \(name) \(arguments)", length: 16) }
    return ToolCall(id: id, name: name, arguments: arguments, signature: part["thoughtSignature"]?.string)
  }
}
