extension Cohere {
  /// `{"models":[{"name","context_length"}],"next_page_token"}`.
  package static func models(_ body: ByteSlice) -> ModelPage? {
    guard let value = try? JSONReader.read(body), let items = value["models"]?.array else { return nil }
    var page = ModelPage()
    for item in items.prefix(ModelList.limit) {
      guard let name = item["name"]?.string, !name.isEmpty, name.utf8.count <= 256 else { continue }
      page.models.append(ModelEntry(id: name, owner: "cohere", maxInputTokens: item["context_length"]?.int))
    }
    if let token = value["next_page_token"]?.string, !token.isEmpty, token.utf8.count <= 1024 {
      var query = Array("page_size=1000&page_token=".utf8)
      PercentText.append(token, to: &query)
      page.nextQuery = String(decoding: query, as: UTF8.self)
    }
    return page
  }
}
