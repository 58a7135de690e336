import SluicePolicy

/// The metric families that come from pool snapshots: slots by state, waiting, connections, endpoints.
struct PoolMetrics {
  let snapshots: [PoolSnapshot]

  func write(into text: inout PrometheusText) {
    writeSlots(&text)
    writeWaiting(&text)
    writeConnections(&text)
    writeEndpoints(&text)
    writeHeartbeats(&text)
    writeQuotas(&text)
  }

  private func writeSlots(_ text: inout PrometheusText) {
    text.begin("pool_connections", .gauge, "Connections of a pool by state.")
    for pool in snapshots {
      let slots = pool.slots
      let states = [
        ("connecting", slots.connecting), ("idle", slots.idle), ("leased", slots.leased),
        ("verifying", slots.verifying), ("draining", slots.draining), ("closing", slots.closing),
      ]
      for (state, count) in states { text.sample(count, [("pool", pool.name), ("state", state)]) }
    }
    text.begin("pool_connections_max", .gauge, "Most connections the pool may have.")
    for pool in snapshots { text.sample(Int(pool.numbers.max), [("pool", pool.name)]) }
    text.begin("pool_utilization_ratio", .gauge, "Slots lent, as a part of the most the pool may have.")
    for pool in snapshots {
      text.sample(Double(pool.numbers.leased) / Double(max(1, pool.numbers.max)), [("pool", pool.name)])
    }
  }

  private func writeWaiting(_ text: inout PrometheusText) {
    text.begin("pool_waiting", .gauge, "Requests waiting for a slot, by priority class.")
    for pool in snapshots {
      for priority in PriorityClass.allCases {
        text.sample(pool.waiting[priority], [("pool", pool.name), ("class", "\(priority)")])
      }
    }
    text.begin("pool_rejected_total", .counter, "Requests the pool did not serve, by reason.")
    for pool in snapshots {
      for reason in RejectionReason.allCases {
        text.sample(pool.counters.rejected[reason], [("pool", pool.name), ("reason", reason.label)])
      }
    }
  }

  private func writeConnections(_ text: inout PrometheusText) {
    counter(&text, "pool_connections_opened_total", "Connections opened.") { $0.connectsSucceeded }
    counter(&text, "pool_connects_failed_total", "Connections that could not be opened.") { $0.connectsFailed }
    counter(&text, "pool_connections_reused_total", "Slots lent on a connection that had served before.") { $0.reused }
    counter(&text, "pool_borrowed_total", "Slots lent on another event loop than the caller's.") { $0.borrowed }
    counter(&text, "pool_verifications_total", "Idle connections verified before they were lent.") { $0.verifications }
    counter(&text, "pool_ejections_total", "Times an endpoint was taken out for failing.") { $0.ejections }
    text.begin("pool_connections_closed_total", .counter, "Connections closed, by reason.")
    for pool in snapshots {
      for reason in CloseReason.allCases {
        text.sample(pool.counters.closed[reason], [("pool", pool.name), ("reason", reason.label)])
      }
    }
  }

  private func writeEndpoints(_ text: inout PrometheusText) {
    text.begin("endpoint_state", .gauge, "1 for the state an endpoint is in, 0 for the others.")
    endpoints { endpoint, labels in
      for state in EndpointState.allCases {
        text.sample(endpoint.state == state ? 1 : 0, labels + [("state", state.label)])
      }
    }
    text.begin("pool_region_serving", .gauge, "1 for the region that serves, 0 for the others.")
    for pool in snapshots {
      let names = Set(pool.endpoints.lazy.filter { !$0.removed }.compactMap(\.region)).sorted()
      for name in names { text.sample(name == pool.region ? 1 : 0, [("pool", pool.name), ("region", name)]) }
    }
    text.begin("origin_connect_seconds", .gauge, "Average time to open a connection; 0 is unknown.")
    for pool in snapshots {
      for origin in pool.origins where !origin.removed {
        text.sample(origin.connectTime.milliseconds / 1000, [("pool", pool.name), ("origin", origin.name)])
      }
    }
    text.begin("endpoint_leased", .gauge, "Slots lent for an endpoint.")
    endpoints { text.sample($0.leased, $1) }
    text.begin("endpoint_latency_seconds", .gauge, "Peak-sensitive average time to the first byte; 0 is unknown.")
    endpoints { text.sample($0.latency.milliseconds / 1000, $1) }
    text.begin("endpoint_exchanges_total", .counter, "Exchanges by endpoint and result.")
    endpoints {
      text.sample($0.successes, $1 + [("result", "success")])
      text.sample($0.failures, $1 + [("result", "failure")])
    }
  }

  private func writeHeartbeats(_ text: inout PrometheusText) {
    text.begin("heartbeats_total", .counter, "Free calls that kept a path warm and proved a credential, by result.")
    endpoints {
      text.sample($0.heartbeats, $1 + [("result", "success")])
      text.sample($0.heartbeatsFailed, $1 + [("result", "failure")])
    }
    text.begin("heartbeat_failing", .gauge, "1 while an endpoint's heartbeats fail and nothing has ended well since.")
    endpoints { text.sample($0.heartbeatProblem == nil ? 0 : 1, $1) }
    text.begin(
      "heartbeat_interval_seconds", .gauge, "Silence after which a heartbeat is sent; 0 while none are to be sent.")
    for pool in snapshots {
      for origin in pool.origins where !origin.removed {
        text.sample(
          (origin.heartbeatInterval?.milliseconds ?? 0) / 1000, [("pool", pool.name), ("origin", origin.name)])
      }
    }
  }

  private func writeQuotas(_ text: inout PrometheusText) {
    text.begin("endpoint_quota_limit", .gauge, "A limit of an endpoint as its provider last told it.")
    quotas {
      text.sample($0.limit ?? 0, $1)
    } where: {
      $0.limit != nil
    }
    text.begin(
      "endpoint_quota_remaining", .gauge, "What is left of a limit of an endpoint, as its provider last told it.")
    quotas {
      text.sample($0.remaining ?? 0, $1)
    } where: {
      $0.remaining != nil
    }
  }

  private func quotas(
    _ body: (QuotaWindow, [(String, String)]) -> Void, where isKnown: (QuotaWindow) -> Bool
  ) {
    endpoints { endpoint, labels in
      guard let quota = endpoint.quota else { return }
      let windows = [
        ("requests", quota.requests), ("tokens", quota.tokens), ("input_tokens", quota.inputTokens),
        ("output_tokens", quota.outputTokens),
      ]
      for (kind, window) in windows where isKnown(window) { body(window, labels + [("kind", kind)]) }
    }
  }

  private func counter(
    _ text: inout PrometheusText, _ name: String, _ help: String, _ value: (PoolCounters) -> UInt64
  ) {
    text.begin(name, .counter, help)
    for pool in snapshots { text.sample(value(pool.counters), [("pool", pool.name)]) }
  }

  private func endpoints(_ body: (EndpointSnapshot, [(String, String)]) -> Void) {
    for pool in snapshots {
      for endpoint in pool.endpoints where !endpoint.removed {
        body(endpoint, [("pool", pool.name), ("endpoint", endpoint.name)])
      }
    }
  }
}
