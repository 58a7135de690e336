internal import SluiceDialects
internal import SluicePolicy

extension ConfigurationDecoder {
  /// One URL of a pool before its keys are known.
  private struct Place {
    var url: BaseURL
    var region: String?
    /// In front of the names of its endpoints.
    var label: String?
    var keys: [ListEntry]?
    var position: SourcePosition
  }

  /// URL × key. Every endpoint has a name, and no two the same name or identity.
  mutating func decodeEndpoints(
    _ pool: ObjectReader, provider known: Provider?, options: ProviderOptions
  ) -> [EndpointConfiguration] {
    let provider = known ?? .openai
    let shared = pool.list("keys")
    let scope = (organization: pool.text("organization"), project: pool.text("project"))
    if known != nil { checkScope(pool, provider: provider) }
    let places = decodePlaces(pool, provider: provider, options: options)
    if known == .bedrock { checkAWS(pool, options, isKeyless: places.contains { ($0.keys ?? shared) == nil }) }
    var names: Set<String> = []
    var identities: [String: String] = [:]
    var result: [EndpointConfiguration] = []
    for place in places {
      checkHost(place, provider: provider, options: options)
      let keys = place.keys ?? shared
      if keys == nil, let known { checkKeyless(pool, provider: known, options: options) }
      let candidates =
        keys.map { $0.enumerated().map { (index: $0.offset, entry: Optional($0.element)) } } ?? [(0, nil)]
      for (index, entry) in candidates {
        guard result.count < ConfigurationDecoder.mostEndpoints else {
          problems.error(at: place.position, "the pool has more than \(ConfigurationDecoder.mostEndpoints) endpoints")
          return result
        }
        guard var endpoint = decodeKey(entry, index: index, url: place.url, provider: provider) else { continue }
        endpoint.region = place.region
        endpoint.organization = endpoint.organization ?? scope.organization
        endpoint.project = endpoint.project ?? scope.project
        if let label = place.label { endpoint.name = "\(label).\(endpoint.name)" }
        let position = entry?.reader?.position(of: "name") ?? entry?.position ?? place.position
        if !names.insert(endpoint.name).inserted {
          problems.error(at: position, "two endpoints are called '\(endpoint.name)'")
        }
        if let other = identities.updateValue(endpoint.name, forKey: endpoint.identity) {
          problems.error(at: entry?.position ?? place.position, "the same URL and key as '\(other)'")
        }
        result.append(endpoint)
      }
    }
    return result
  }

  // MARK: - URLs

  private mutating func decodePlaces(
    _ pool: ObjectReader, provider: Provider, options: ProviderOptions
  ) -> [Place] {
    let base = pool.text("base_url")
    guard let entries = pool.list("endpoints") else {
      // A list that could not be read has been reported: the default URL would only add to the confusion.
      guard !pool.isGiven("endpoints") else { return [] }
      if let base, let url = BaseURL(base) { warnAboutPath(url, provider, at: pool.position(of: "base_url")) }
      let standard = provider.standardURL(options)
      if base == nil, standard.isEmpty {
        problems.error(at: pool.position, "'base_url' is missing: \(provider.displayName) has no address of its own")
      }
      guard let url = BaseURL(base ?? standard) else { return [] }
      return [Place(url: url, position: pool.position(of: "base_url"))]
    }
    if pool.isGiven("base_url") {
      problems.error(at: pool.position(of: "base_url"), "base_url and endpoints exclude each other")
    }
    return entries.enumerated().compactMap { index, entry in
      guard let reader = entry.reader else { return nil }
      let region = reader.text("region")
      let keys = reader.list("keys")
      guard let text = reader.text("url"), let url = BaseURL(text) else { return nil }
      warnAboutPath(url, provider, at: reader.position(of: "url"))
      let label = region ?? (entries.count > 1 ? "url\(index + 1)" : nil)
      return Place(url: url, region: region, label: label, keys: keys, position: reader.position(of: "url"))
    }
  }

  private mutating func warnAboutPath(_ url: BaseURL, _ provider: Provider, at position: SourcePosition) {
    if provider == .anthropic, url.path.hasSuffix("/v1") {
      problems.warning(at: position, "the base URL of anthropic is written without /v1")
    }
    if provider == .openai, url.path.isEmpty {
      problems.warning(at: position, "the base URL of openai usually ends in /v1")
    }
  }

  /// Some options forbid places, such as residency in a region.
  private mutating func checkHost(_ place: Place, provider: Provider, options: ProviderOptions) {
    guard let dialect = try? ProviderDialect(provider, options: options),
      let reason = dialect.refusal(host: place.url.host)
    else { return }
    problems.error(at: place.position, reason)
  }

  /// Without keys only where the file says itself who is asked.
  private mutating func checkKeyless(_ pool: ObjectReader, provider: Provider, options: ProviderOptions) {
    // AWS's credentials have places of their own.
    guard provider != .bedrock else { return }
    guard (try? ProviderDialect(provider, options: options))?.needsCredential ?? true else { return }
    guard !pool.isGiven("keys"), !pool.isGiven("base_url"), !pool.isGiven("endpoints") else { return }
    problems.error(at: pool.position, "'keys' is missing: \(provider.displayName) needs at least one")
  }

  private mutating func checkScope(_ reader: ObjectReader, provider: Provider) {
    for key in ["organization", "project"] where provider != .openai && reader.isGiven(key) {
      problems.error(at: reader.position(of: key), "'\(key)' is only for provider openai")
    }
  }

  // MARK: - Keys

  /// The endpoint of one key; nil if it could not be read. No entry stands for a server that wants no key.
  private mutating func decodeKey(
    _ entry: ListEntry?, index: Int, url: BaseURL, provider: Provider
  ) -> EndpointConfiguration? {
    let automatic = EndpointConfiguration.Authentication.automatic(provider)
    guard let entry else {
      return EndpointConfiguration(name: "default", url: url, key: nil, authentication: automatic)
    }
    if case .secret(let secret) = entry.node.content {
      return EndpointConfiguration(name: "key\(index + 1)", url: url, key: secret, authentication: automatic)
    }
    guard let reader = entry.reader else { return nil }
    let chosen = reader.text("auth").flatMap(EndpointConfiguration.Authentication.init(rawValue:))
    var endpoint = EndpointConfiguration(
      name: reader.text("name") ?? "key\(index + 1)", url: url, key: reader.secret("key"),
      authentication: chosen ?? automatic)
    endpoint.organization = reader.text("organization")
    endpoint.project = reader.text("project")
    reader.read("weight", &endpoint.weight)
    endpoint.role = reader.text("role") == "backup" ? .backup : .primary
    checkScope(reader, provider: provider)
    if chosen == .apiKey, provider == .openai {
      problems.error(at: reader.position(of: "auth"), "openai takes keys as bearer tokens only")
    }
    return endpoint.key == nil ? nil : endpoint
  }
}

extension Provider {
  /// The provider's own address, options filled in; that of OpenAI for those that this version cannot talk to. Empty: none.
  fileprivate func standardURL(_ options: ProviderOptions) -> String {
    ((try? ProviderDialect(self, options: options)) ?? .openai).baseURL
  }
}
