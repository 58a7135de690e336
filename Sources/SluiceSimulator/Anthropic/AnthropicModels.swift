/// The model list, in pages.
enum AnthropicModels {
  static func list(_ request: SimulatedRequest, _ world: World) throws(ProviderError) -> [UInt8] {
    var world = world
    let all = world.options.models ?? SimulatorModelProfile.anthropicModels
    var limit = 20
    if let text = request.query("limit") {
      guard let number = Int(text), (1...1_000).contains(number) else {
        throw AnthropicDecoder.invalid("limit: Input should be between 1 and 1000")
      }
      limit = number
    }
    let page: ArraySlice<String>
    let hasMore: Bool
    if let before = request.query("before_id") {
      let end = try position(of: before, in: all, "before_id")
      page = all[max(0, end - limit)..<end]
      hasMore = end > limit
    } else {
      let start =
        try request.query("after_id").map { id throws(ProviderError) in
          try position(of: id, in: all, "after_id") + 1
        } ?? 0
      page = all[start...].prefix(limit)
      hasMore = page.endIndex < all.count
    }
    var out = JSONWriter(reserving: 1_024)
    out.raw("{\"data\":")
    out.list(page) { writer, name in write(name, &world, into: &writer) }
    out.raw(",\"first_id\":")
    out.string(page.first)
    out.raw(",\"last_id\":")
    out.string(page.last)
    out.raw(hasMore ? ",\"has_more\":true}" : ",\"has_more\":false}")
    return out.bytes
  }

  static func model(_ name: String, _ world: inout World) -> [UInt8] {
    var out = JSONWriter(reserving: 256)
    write(name, &world, into: &out)
    return out.bytes
  }

  private static func position(
    of id: String, in all: [String], _ parameter: String
  ) throws(ProviderError) -> Int {
    guard let index = all.firstIndex(of: id) else {
      throw AnthropicDecoder.invalid("\(parameter): no model has the id \(id)")
    }
    return index
  }

  private static func write(_ name: String, _ world: inout World, into out: inout JSONWriter) {
    let profile = world.profile(of: name)
    out.raw("{\"type\":\"model\",\"id\":")
    out.string(name)
    out.raw(",\"display_name\":")
    out.string(displayName(name))
    out.raw(",\"created_at\":\"2026-09-01T00:00:00Z\",\"lifecycle\":\"active\",\"max_input_tokens\":")
    out.number(profile.contextTokens)
    out.raw(",\"max_tokens\":")
    out.number(profile.maxOutputTokens)
    out.raw("}")
  }

  /// `claude-sonnet-5-5` → `Claude Sonnet 5.5`.
  private static func displayName(_ name: String) -> String {
    var text = ""
    var previousIsNumber = false
    for part in name.split(separator: "-") {
      let isNumber = part.allSatisfy(\.isNumber)
      if !text.isEmpty { text += isNumber && previousIsNumber ? "." : " " }
      text += part.prefix(1).uppercased() + part.dropFirst()
      previousIsNumber = isNumber
    }
    return text
  }
}
