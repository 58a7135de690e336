extension Anthropic {
  /// `{"type":"model","id","display_name","created_at"}`.
  static func write(_ model: ModelEntry, _ json: inout JSONWriter) {
    json.beginObject()
    json.key("type")
    json.string("model" as StaticString)
    json.key("id")
    json.string(model.id)
    json.key("display_name")
    json.string(model.displayName ?? model.id)
    json.key("created_at")
    json.string(model.createdAt ?? DateText.rfc3339(unixSeconds: model.created))
    if let tokens = model.maxInputTokens {
      json.key("max_input_tokens")
      json.int(tokens)
    }
    json.endObject()
  }

  /// The merged list is one page.
  static func writeListEnd(_ models: [ModelEntry], _ json: inout JSONWriter) {
    json.key("first_id")
    if let first = models.first { json.string(first.id) } else { json.null() }
    json.key("last_id")
    if let last = models.last { json.string(last.id) } else { json.null() }
    json.key("has_more")
    json.bool(false)
  }
}
