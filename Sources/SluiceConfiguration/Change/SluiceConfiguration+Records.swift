internal import SluiceDialects
internal import SluicePolicy

extension SluiceConfiguration {
  /// Every value in force, defaults included, in the order of the file. Secrets are redacted.
  package var records: [SettingRecord] {
    var recorder = SettingRecorder()
    recorder.add("version", .integer(version))
    recorder.add("profile", .string(profile.rawValue))
    recorder.nested("server") { server.record(in: &$0) }
    if let access {
      recorder.nested("access") { recorder in
        for key in access.keys {
          recorder.item("keys", identity: key.name, name: key.name) { key.record(in: &$0) }
        }
      }
    }
    recorder.nested("admission") { recorder in
      recorder.add("capacity", .integer(admission.capacity))
      recorder.add("timeout", .interval(admission.timeout))
    }
    for pool in pools { recorder.named("pools", pool.name) { pool.record(in: &$0) } }
    recorder.add("catalogue", catalogue.map { .string($0) })
    for (index, route) in routes.enumerated() {
      // The order of routes has a meaning, so the position is part of what a route is.
      recorder.item("routes", identity: "\(index)", name: "\(index + 1)") { recorder in
        recorder.add("name", .string("\(index + 1)"))
        route.record(in: &recorder)
      }
    }
    return recorder.records
  }

  /// The configuration in force as JSON, without secrets.
  package var redacted: JSONText { SettingTree.json(records) }
}

extension ServerConfiguration {
  fileprivate func record(in recorder: inout SettingRecorder) {
    recorder.add("listen", .array(listen.map { .string($0.description) }))
    if let tls {
      recorder.nested("tls") { recorder in
        recorder.add("certificate", .string(tls.certificate))
        recorder.add("private_key", .string(tls.privateKey))
      }
    }
    recorder.add("admin_token", secret: adminToken)
    recorder.add("threads", threads.map { .integer($0) } ?? .string("auto"))
    recorder.add("max_request_body", .string(Quantity.text(bytes: maxRequestBody)))
    recorder.add("max_buffered", .string(Quantity.text(bytes: maxBuffered)))
    recorder.add("max_head", .string(Quantity.text(bytes: maxHead)))
    recorder.add("max_connections", .integer(maxConnections))
    recorder.add("hosts", hosts.isEmpty ? nil : .strings(hosts))
    recorder.add("head_timeout", .interval(headTimeout))
    recorder.add("body_timeout", .interval(bodyTimeout))
    recorder.add("min_body_rate", .string(Quantity.text(bytes: minBodyRate)))
    recorder.add("idle_timeout", .interval(idleTimeout))
    recorder.add("drain_timeout", .interval(drainTimeout))
    recorder.add("keepalive_comment", .interval(keepaliveComment))
  }
}

extension AccessConfiguration.Key {
  fileprivate func record(in recorder: inout SettingRecorder) {
    recorder.add("name", .string(name))
    // A hash of a weak key could be searched for.
    recorder.add("sha256", secret: Secret(Hexadecimal.text(sha256)))
    recorder.add("class", .string(priority.label))
    recorder.add("models", models.map { .strings($0) })
  }
}

extension PoolConfiguration {
  fileprivate func record(in recorder: inout SettingRecorder) {
    recorder.add("provider", .string(provider.rawValue))
    for endpoint in endpoints {
      recorder.item("endpoints", identity: endpoint.identity, name: endpoint.name) { endpoint.record(in: &$0) }
    }
    recorder.nested("balance") { recorder in
      recorder.add("strategy", .string(strategy.rawValue))
      recorder.add("affinity", .string(affinity.rawValue))
      recorder.add("region_hold", .interval(regionHold))
    }
    recorder.nested("connections") { recordConnections(in: &$0) }
    recorder.nested("timeouts") { recorder in
      recorder.add("first_byte", timeouts.firstByte.map { .interval($0) })
      recorder.add("first_token", timeouts.firstToken.map { .interval($0) })
      recorder.add("between_bytes", .interval(timeouts.betweenBytes))
      recorder.add("total", .interval(timeouts.total))
    }
    recorder.nested("retry") { recorder in
      recorder.add("attempts", .integer(retry.attempts))
      recorder.add("budget", .string(Quantity.text(fraction: retry.budget)))
    }
    recorder.nested("health") { recorder in
      recorder.add("interval", .interval(health.interval))
      recorder.add("timeout", .interval(health.timeout))
      recorder.add("unhealthy_after", .integer(health.unhealthyAfter))
      recorder.add("healthy_after", .integer(health.healthyAfter))
    }
    recorder.nested("heartbeat") { $0.add("interval", .pace(heartbeat.pace)) }
    recorder.add("proxy", secret: transport.proxy)
    recorder.add("tls_verify", .boolean(transport.verify))
    recorder.add("tls_ca", transport.authorities.map { .string($0) })
    recorder.add("fallback", .string(fallbackDirect ? "direct" : "none"))
    recorder.add("models", models.map { .strings($0) })
    recorder.nested("options") { recordOptions(in: &$0) }
  }

  private func recordOptions(in recorder: inout SettingRecorder) {
    for option in provider.options {
      switch option.kind {
      case .text, .choice: recorder.add(option.name, options[text: option.name].map { .string($0) })
      case .secret: recorder.add(option.name, secret: options[text: option.name].map { Secret($0) })
      case .flag: recorder.add(option.name, options[flag: option.name].map { .boolean($0) })
      case .integer: recorder.add(option.name, options[integer: option.name].map { .integer($0) })
      case .textList:
        let list = options[list: option.name]
        recorder.add(option.name, list.isEmpty ? nil : .strings(list))
      case .textMap:
        let map = options[map: option.name].sorted { $0.key < $1.key }
        recorder.add(
          option.name, map.isEmpty ? nil : .object(map.map { JSONText.Member(key: $0.key, value: .string($0.value)) }))
      }
    }
  }

  private func recordConnections(in recorder: inout SettingRecorder) {
    recorder.add("min", .integer(connections.min))
    recorder.add("max", .integer(connections.max))
    recorder.add("pool_max", .integer(connections.poolMax))
    recorder.add("keep_warm", .interval(connections.keepWarm))
    recorder.add("reconnect_delay", .interval(connections.reconnectDelay))
    recorder.add("idle_timeout", .interval(connections.idleTimeout))
    recorder.add("max_age", .interval(connections.maxAge))
    recorder.add("keepalive", .interval(transport.keepalive))
    recorder.add("connect_timeout", .interval(connections.connectTimeout))
    recorder.add("protocol", .string(transport.version.rawValue))
  }
}

extension EndpointConfiguration {
  fileprivate func record(in recorder: inout SettingRecorder) {
    recorder.add("name", .string(name))
    recorder.add("url", .string(url.description))
    recorder.add("region", region.map { .string($0) })
    recorder.add("key", secret: key)
    recorder.add("organization", organization.map { .string($0) })
    recorder.add("project", project.map { .string($0) })
    recorder.add("auth", .string(authentication.rawValue))
    recorder.add("weight", .integer(weight))
    recorder.add("role", .string(role == .backup ? "backup" : "primary"))
  }
}

extension RouteConfiguration {
  fileprivate func record(in recorder: inout SettingRecorder) {
    recorder.add("model", .string(model))
    recorder.add(
      "to",
      .array(
        targets.map { target in
          .object([
            "pool": .string(target.pool), "model": target.model.map { .string($0) },
            "weight": strategy == .weighted ? .integer(target.weight) : nil,
          ])
        }))
    recorder.add("strategy", .string(strategy.rawValue))
  }
}

extension JSONText {
  fileprivate static func interval(_ interval: Interval) -> JSONText { .string(Quantity.text(interval)) }

  fileprivate static func pace(_ pace: HeartbeatSettings.Pace) -> JSONText {
    switch pace {
    case .auto: .string("auto")
    case .off: .string("off")
    case .every(let interval): .interval(interval)
    }
  }
  fileprivate static func strings(_ texts: [String]) -> JSONText { .array(texts.map { .string($0) }) }
}
