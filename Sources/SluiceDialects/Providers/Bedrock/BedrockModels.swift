extension Bedrock {
  /// The control plane's `{"modelSummaries":[{"modelId","modelName","providerName"}]}`: one page.
  package static func models(_ body: ByteSlice) -> ModelPage? {
    guard let value = try? JSONReader.read(body), let items = value["modelSummaries"]?.array else { return nil }
    var page = ModelPage()
    for item in items.prefix(ModelList.limit) {
      guard let id = item["modelId"]?.string, !id.isEmpty, id.utf8.count <= 2048 else { continue }
      page.models.append(
        ModelEntry(id: id, displayName: item["modelName"]?.string, owner: item["providerName"]?.string?.lowercased()))
    }
    return page
  }
}
