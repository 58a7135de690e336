extension OpenAI {
  /// `{"id","object":"model","created","owned_by"}`.
  static func write(_ model: ModelEntry, _ json: inout JSONWriter) {
    json.beginObject()
    json.key("id")
    json.string(model.id)
    json.key("object")
    json.string("model" as StaticString)
    json.key("created")
    json.int(created(model))
    json.key("owned_by")
    json.string(model.owner ?? "sluice")
    json.endObject()
  }

  /// Unix seconds, also from providers that write dates.
  private static func created(_ model: ModelEntry) -> Int {
    guard model.created == 0, let text = model.createdAt else { return model.created }
    let moment = Array(text.utf8).withSlice { DateText.rfc3339($0) }
    return moment.map { Int($0.milliseconds / 1000) } ?? 0
  }
}
