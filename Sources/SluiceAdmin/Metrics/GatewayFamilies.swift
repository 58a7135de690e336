import SluiceDialects
import SluiceGateway
import SluicePolicy

/// The metric families that come from the gateway's own counters: requests, durations, tokens, retries, rejections.
struct GatewayFamilies {
  let snapshot: GatewayMetricsSnapshot

  func write(into text: inout PrometheusText) {
    writeRequests(&text)
    writeDurations(&text)
    writeTokens(&text)
    writeCounters(&text)
    writeRejections(&text)
    writeConnections(&text)
  }

  private func labels(_ entry: GatewayMetricsSnapshot.Entry) -> [(String, String)] {
    [("pool", entry.pool), ("surface", entry.surface?.label ?? "")]
  }

  private func writeRequests(_ text: inout PrometheusText) {
    text.begin("requests_total", .counter, "Finished requests by hundreds of their status; 499 is a client that left.")
    for entry in snapshot.entries {
      for index in 0..<6 {
        let status = index == 0 ? "499" : "\(index)xx"
        text.sample(entry.counters.byStatusClass[index], labels(entry) + [("status", status)])
      }
    }
  }

  private func writeDurations(_ text: inout PrometheusText) {
    histogram(&text, "request_duration_seconds", "From the first byte of a request to the last of its answer.") {
      $0.duration
    }
    histogram(&text, "time_to_first_token_seconds", "From the first byte of a request to the first token.") {
      $0.firstToken
    }
    histogram(&text, "overhead_seconds", "Time until the answer's head, without the upstream's share.") { $0.overhead }
    text.begin("phase_duration_seconds", .histogram, "Time until the answer's head, by phase.")
    for entry in snapshot.entries {
      for phase in PhaseClock.Phase.allCases {
        write(entry.counters.phases[phase.rawValue], labels(entry) + [("phase", "\(phase.label)")], &text)
      }
    }
  }

  private func writeTokens(_ text: inout PrometheusText) {
    text.begin("tokens_total", .counter, "Tokens as the providers counted them, or estimated where they did not.")
    for entry in snapshot.entries {
      let counters = entry.counters
      let kinds = [
        ("input", counters.inputTokens), ("output", counters.outputTokens), ("cached", counters.cachedTokens),
        ("reasoning", counters.reasoningTokens),
      ]
      for (kind, count) in kinds { text.sample(count, labels(entry) + [("kind", kind)]) }
    }
    text.begin("tokens_estimated_total", .counter, "Part of the tokens that is estimated: no provider counted them.")
    for entry in snapshot.entries {
      text.sample(entry.counters.estimatedInputTokens, labels(entry) + [("kind", "input")])
      text.sample(entry.counters.estimatedOutputTokens, labels(entry) + [("kind", "output")])
    }
    text.begin("cost_dollars_total", .counter, "Estimated cost, by the model catalogue's prices.")
    for entry in snapshot.entries { text.sample(Double(entry.counters.cost) / 1e9, labels(entry)) }
  }

  private func writeCounters(_ text: inout PrometheusText) {
    counter(&text, "retries_total", "Paid tries after the first one of each pool.") { $0.retries }
    counter(&text, "replays_total", "Requests sent again because a reused connection was dead.") { $0.replays }
    counter(&text, "failovers_total", "Moves along a route to the next pool.") { $0.spills }
    counter(&text, "key_walks_total", "Moves to another key because one was limited or rejected.") { $0.walks }
    counter(&text, "retry_budget_refusals_total", "Retries that were due but not in the budget.") { $0.budgetRefusals }
    counter(&text, "cancelled_total", "Requests whose client left before the end.") { $0.cancelled }
    counter(&text, "streams_total", "Streamed answers.") { $0.streams }
    counter(&text, "streams_broken_total", "Streams that ended without their proper end.") { $0.streamsBroken }
    counter(&text, "refusals_total", "Answers in which the model refused.") { $0.refusals }
    counter(&text, "content_filtered_total", "Answers stopped by the provider's content filter.") { $0.contentFiltered }
    counter(&text, "request_bytes_total", "Bytes of requests, heads and bodies.") { $0.bytesIn }
    counter(&text, "response_bytes_total", "Bytes of answers, heads and bodies.") { $0.bytesOut }
  }

  private func writeRejections(_ text: inout PrometheusText) {
    text.begin("rejected_total", .counter, "Requests the gateway answered itself with an error, by code.")
    for (code, count) in snapshot.rejected.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      text.sample(count, [("code", code.rawValue)])
    }
    text.begin("malformed_total", .counter, "Request heads that are not acceptable HTTP, by reason.")
    for (reason, count) in snapshot.malformed.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      text.sample(count, [("reason", reason.rawValue)])
    }
  }

  private func writeConnections(_ text: inout PrometheusText) {
    let counters: [(String, UInt64, String)] = [
      ("client_connections_total", snapshot.connectionsOpened, "Client connections accepted."),
      ("client_connections_refused_total", snapshot.connectionsRefused, "Client connections beyond the limit."),
      ("answers_cut_total", snapshot.answersCut, "Plain answers cut after their head because the upstream broke."),
      ("relayed_total", snapshot.relayed, "Exchanges whose upstream lives on another event loop."),
      ("keepalive_comments_total", snapshot.keepaliveComments, "Comments sent while a model was silent."),
    ]
    for (name, value, help) in counters {
      text.begin(name, .counter, help)
      text.sample(value)
    }
    text.begin("client_connections", .gauge, "Client connections open.")
    text.sample(snapshot.connectionsOpen)
    text.begin("streams_open", .gauge, "Streams being forwarded.")
    text.sample(snapshot.streamsOpen)
  }

  private func counter(
    _ text: inout PrometheusText, _ name: String, _ help: String, _ value: (RequestCounters) -> UInt64
  ) {
    text.begin(name, .counter, help)
    for entry in snapshot.entries { text.sample(value(entry.counters), labels(entry)) }
  }

  private func histogram(
    _ text: inout PrometheusText, _ name: String, _ help: String, _ value: (RequestCounters) -> FixedHistogram
  ) {
    text.begin(name, .histogram, help)
    for entry in snapshot.entries { write(value(entry.counters), labels(entry), &text) }
  }

  private func write(_ histogram: FixedHistogram, _ labels: [(String, String)], _ text: inout PrometheusText) {
    let bounds = FixedHistogram.bounds.indices.map { (Double(FixedHistogram.bounds[$0]) / 1e9, histogram[$0]) }
    text.histogram(
      buckets: bounds, overflow: histogram[FixedHistogram.bucketCount - 1], sum: histogram.sumSeconds, labels: labels)
  }
}
