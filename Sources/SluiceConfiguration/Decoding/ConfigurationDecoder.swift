internal import SluiceDialects
internal import SluicePolicy

/// Builds the typed configuration from checked values and reports what only shows between them: names that do not
/// exist, bounds that contradict each other, listening without protection.
package struct ConfigurationDecoder {
  package struct Options: Sendable {
    /// Listening wider than loopback without keys and token was asked for explicitly.
    package var insecure = false
    /// Where credentials may come from that the file does not name.
    package var environment: [String: String]
    package var files: FileAccess

    package init(insecure: Bool = false, environment: [String: String] = [:], files: FileAccess = .none) {
      self.insecure = insecure
      self.environment = environment
      self.files = files
    }
  }

  let options: Options
  package internal(set) var problems: ProblemList

  package init(options: Options, problems: ProblemList) {
    self.options = options
    self.problems = problems
  }

  package mutating func decode(_ root: ObjectReader) -> SluiceConfiguration {
    var configuration = SluiceConfiguration()
    root.read("version", &configuration.version)
    configuration.profile = root.text("profile").flatMap(Profile.init(rawValue:)) ?? .production
    let server = root.nested("server")
    configuration.server = decodeServer(server)
    configuration.access = decodeAccess(root)
    configuration.admission = decodeAdmission(root.nested("admission"))
    configuration.pools = decodePools(root)
    configuration.catalogue = root.text("catalogue")
    configuration.routes = decodeRoutes(root, pools: Set(root.map("pools").map(\.name)))
    checkListening(configuration, server: server, access: root)
    return configuration
  }

  // MARK: - Server

  private mutating func decodeServer(_ reader: ObjectReader) -> ServerConfiguration {
    var server = ServerConfiguration()
    let listen = listenAddresses(reader)
    if !listen.isEmpty { server.listen = listen.map(\.address) }
    if let tls = reader.nestedIfGiven("tls"), let certificate = tls.text("certificate"),
      let privateKey = tls.text("private_key")
    {
      server.tls = ServerConfiguration.TLS(certificate: certificate, privateKey: privateKey)
    }
    server.adminToken = reader.secret("admin_token")
    // `auto` reads as text, which leaves nil.
    server.threads = reader.integer("threads")
    reader.read("max_request_body", &server.maxRequestBody)
    reader.read("max_buffered", &server.maxBuffered)
    reader.read("max_head", &server.maxHead)
    reader.read("max_connections", &server.maxConnections)
    server.hosts = (reader.texts("hosts") ?? []).map { $0.lowercased() }
    reader.read("head_timeout", &server.headTimeout)
    reader.read("body_timeout", &server.bodyTimeout)
    reader.read("min_body_rate", &server.minBodyRate)
    reader.read("idle_timeout", &server.idleTimeout)
    reader.read("drain_timeout", &server.drainTimeout)
    reader.read("keepalive_comment", &server.keepaliveComment)
    checkServer(server, reader)
    return server
  }

  private mutating func checkServer(_ server: ServerConfiguration, _ reader: ObjectReader) {
    var seen: Set<ListenAddress> = []
    for (address, position) in listenAddresses(reader) where !seen.insert(address).inserted {
      // Port 0 means another port each time.
      if case .tcp(_, 0) = address { continue }
      problems.error(at: position, "'\(address)' is listed twice")
    }
    if server.maxBuffered < server.maxRequestBody {
      let key = reader.isGiven("max_buffered") ? "max_buffered" : "max_request_body"
      problems.error(
        at: reader.position(of: key),
        "max_buffered (\(Quantity.text(bytes: server.maxBuffered))) is smaller than max_request_body "
          + "(\(Quantity.text(bytes: server.maxRequestBody)))")
    }
  }

  /// Wider than loopback: only with access keys and an admin token, or when insecurity was asked for.
  private mutating func checkListening(_ configuration: SluiceConfiguration, server: ObjectReader, access: ObjectReader)
  {
    guard !options.insecure else { return }
    var missing: [String] = []
    if configuration.access == nil, !access.isGiven("access") { missing.append("access keys (access.keys)") }
    if configuration.server.adminToken == nil, !isInvalid(server, "admin_token") {
      missing.append("an admin token (server.admin_token)")
    }
    guard !missing.isEmpty else { return }
    for (address, position) in listenAddresses(server) where !address.isLoopback {
      problems.error(
        at: position,
        "listening on \(address) needs \(missing.joined(separator: " and ")), since others can reach it; listen on "
          + "127.0.0.1, or use --insecure if that is really wanted")
    }
  }

  /// Those that are addresses, with their places.
  private func listenAddresses(_ server: ObjectReader) -> [(address: ListenAddress, position: SourcePosition)] {
    (server.list("listen") ?? []).compactMap { entry in
      guard case .text(let text) = entry.node.content, let address = ListenAddress(text) else { return nil }
      return (address, entry.position)
    }
  }

  private func isInvalid(_ reader: ObjectReader, _ key: String) -> Bool {
    if case .invalid? = reader.object[key]?.content { return true }
    return false
  }

  private func decodeAdmission(_ reader: ObjectReader) -> AdmissionConfiguration {
    var admission = AdmissionConfiguration()
    reader.read("capacity", &admission.capacity)
    reader.read("timeout", &admission.timeout)
    return admission
  }

  // MARK: - Access

  private mutating func decodeAccess(_ root: ObjectReader) -> AccessConfiguration? {
    guard let reader = root.nestedIfGiven("access") else { return nil }
    var keys: [AccessConfiguration.Key] = []
    for entry in reader.list("keys") ?? [] {
      guard let key = entry.reader else { continue }
      let models = key.texts("models")
      let priority = key.text("class").flatMap { PriorityClass(label: $0) } ?? .normal
      guard let name = key.text("name"), let hash = key.text("sha256").flatMap(Hexadecimal.bytes) else { continue }
      if keys.contains(where: { $0.name == name }) {
        problems.error(at: key.position(of: "name"), "two access keys are called '\(name)'")
      }
      if let other = keys.first(where: { $0.sha256 == hash }) {
        problems.error(at: key.position(of: "sha256"), "the same key as '\(other.name)'")
      }
      keys.append(AccessConfiguration.Key(name: name, sha256: hash, priority: priority, models: models))
    }
    return AccessConfiguration(keys: keys)
  }

  // MARK: - Routes

  private mutating func decodeRoutes(_ root: ObjectReader, pools: Set<String>) -> [RouteConfiguration] {
    var routes: [RouteConfiguration] = []
    for entry in root.list("routes") ?? [] {
      guard let reader = entry.reader else { continue }
      let strategy = reader.text("strategy").flatMap(RouteConfiguration.Strategy.init(rawValue:)) ?? .fallback
      let targets = decodeTargets(reader, strategy: strategy, pools: pools)
      guard let model = reader.text("model") else { continue }
      if routes.contains(where: { $0.model == model }) {
        problems.error(
          at: reader.position(of: "model"), "there is a route for '\(model)' already: this one is never used")
      }
      routes.append(RouteConfiguration(model: model, targets: targets, strategy: strategy))
    }
    return routes
  }

  private mutating func decodeTargets(
    _ route: ObjectReader, strategy: RouteConfiguration.Strategy, pools: Set<String>
  ) -> [RouteConfiguration.Target] {
    (route.list("to") ?? []).compactMap { entry in
      var target = RouteConfiguration.Target(pool: "")
      var position = entry.position
      if case .text(let pool) = entry.node.content {
        target.pool = pool
      } else if let reader = entry.reader {
        target.model = reader.text("model")
        let weight = reader.integer("weight")
        guard let pool = reader.text("pool") else { return nil }
        target.pool = pool
        position = reader.position(of: "pool")
        if let weight {
          target.weight = weight
          if strategy != .weighted {
            problems.error(at: reader.position(of: "weight"), "a weight counts only with 'strategy: weighted'")
          }
        }
      } else {
        return nil
      }
      if !pools.contains(target.pool) {
        let nearest = Suggestion.nearest(to: target.pool, in: pools.sorted())
        problems.error(at: position, "there is no pool '\(target.pool)'", suggestion: nearest)
      }
      return target
    }
  }
}

extension ObjectReader {
  func read(_ key: String, _ value: inout Int) {
    if let given = integer(key) { value = given }
  }

  func read(_ key: String, _ value: inout Interval) {
    if let given = duration(key) { value = given }
  }

  func read(_ key: String, _ value: inout Double) {
    if let given = fraction(key) { value = given }
  }

  func read(_ key: String, _ value: inout Bool) {
    if let given = boolean(key) { value = given }
  }
}
