extension Gemini {
  /// `{"models":[{"name":"models/…","displayName","inputTokenLimit"}],"nextPageToken"}`.
  package static func models(_ body: ByteSlice) -> ModelPage? {
    guard let value = try? JSONReader.read(body), let items = value["models"]?.array else { return nil }
    var page = ModelPage()
    for item in items.prefix(ModelList.limit) {
      guard let name = item["name"]?.string, !name.isEmpty, name.utf8.count <= 256 else { continue }
      let id = name.hasPrefix("models/") ? String(name.dropFirst(7)) : name
      page.models.append(
        ModelEntry(
          id: id, displayName: item["displayName"]?.string, owner: "google",
          maxInputTokens: item["inputTokenLimit"]?.int))
    }
    if let token = value["nextPageToken"]?.string, !token.isEmpty, token.utf8.count <= 1024 {
      var query = Array("pageSize=1000&pageToken=".utf8)
      PercentText.append(token, to: &query)
      page.nextQuery = String(decoding: query, as: UTF8.self)
    }
    return page
  }
}
