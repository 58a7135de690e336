import SluicePolicy
import SluiceSimulator

/// One thing that a pool does, shown on the running gateway.
struct TourStep: Sendable {
  var title: String
  /// Why it is so, in one line.
  var lesson: String
  var run: @Sendable (inout TourStage) async throws -> Void

  static let all = [
    sharing, spreading, limitedKey, refusedKey, deadEndpoint, brokenStream, fallback, priorities, draining, reloading,
  ]

  private static let openAI = "openai/gpt-4o-mini"
  private static let first = SimulatorFault.Match(key: "demo-openai-a")
}

// MARK: - Strategies

extension TourStep {
  static let sharing = TourStep(
    title: "Sharing connections",
    lesson: "A connection is opened once and lent again and again; no call pays for a handshake that is done."
  ) { stage in
    try await stage.heal("openai")
    let before = try await stage.client.pool("openai").connections.opened
    let answers = try await stage.calls(100, atOnce: 8) { try await $0.chat(openAI) }
    let opened = try await stage.client.pool("openai").connections.opened - before
    stage.claim(
      answers.allSatisfy { $0.status == 200 }, "100 calls, 8 at once: \(answers.count { $0.status == 200 }) answered")
    stage.claim(opened <= 24, "they needed \(opened) new connections")
  }

  static let spreading = TourStep(
    title: "Spreading load",
    lesson: "Power of two choices: of two keys drawn at random the one with less to do gets the call."
  ) { stage in
    let answers = try await stage.calls(80, atOnce: 8) { try await $0.chat(openAI) }
    let counts = Dictionary(grouping: answers, by: \.endpoint).mapValues(\.count)
    stage.observe(counts.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value) calls" }.joined(separator: ", "))
    stage.claim(
      counts.count == 2 && counts.values.allSatisfy { $0 >= 16 }, "both keys serve, neither less than a fifth")
  }
}

// MARK: - Faults and recovery

extension TourStep {
  static let limitedKey = TourStep(
    title: "A key at its limit",
    lesson: "A 429 cools that key for exactly as long as the provider says; the others serve meanwhile."
  ) { stage in
    try await stage.faults(SimulatorFault(.status(.init(429, retryAfter: .seconds(2))), match: first))
    // Several at once, so that some go to either key; those that were under way together learn it together.
    var answers: [TourClient.Answer] = []
    var hits = 0
    while answers.count < 60, hits == 0 {
      answers += try await stage.calls(6, atOnce: 6) { try await $0.chat(openAI) }
      hits = try await stage.simulator.faultHits().first ?? 0
    }
    let later = try await stage.calls(20) { try await $0.chat(openAI) }
    let laterHits = try await stage.simulator.faultHits().first ?? 0
    let state = try await stage.client.pool("openai").endpoint("team-a")
    try await stage.faults()
    stage.observe("team-a is \(state?.state ?? "?") for \(seconds(state?.returns_in_seconds)) more")
    stage.claim(
      answers.allSatisfy { $0.status == 200 } && hits > 0,
      "team-a answers 429 to \(hits) of \(answers.count) calls, which team-b then answers; no caller noticed")
    stage.claim(
      later.allSatisfy { $0.endpoint == "team-b" && $0.attempts == 1 } && laterHits == hits,
      "20 further calls go to team-b at once; the limited key is not asked again")
    let waited = try await stage.wait(for: "openai") { $0.endpoint("team-a")?.state == "healthy" }
    stage.claim((waited ?? 99) <= 2.5, "it is back after \(seconds(waited)) more")
  }

  static let refusedKey = TourStep(
    title: "A key that is refused",
    lesson: "No wait helps against an invalid key: it is taken out, an alert says so, and goes when it is repaired."
  ) { stage in
    try await stage.heal("openai")
    let before = try await stage.client.alerts()
    try await stage.faults(SimulatorFault(.status(.init(401)), match: first))
    var answers: [TourClient.Answer] = []
    while answers.count < 120, try await stage.client.pool("openai").endpoint("team-a")?.state != "rejected" {
      answers += try await stage.calls(6, atOnce: 6) { try await $0.chat(openAI) }
    }
    let hits = try await stage.simulator.faultHits().first ?? 0
    let alerts = try await stage.client.alerts()
    let alert = alerts.first { $0.pool == "openai" && $0.endpoint == "team-a" }
    stage.claim(
      before.isEmpty && alerts.count == 1 && alert?.name == "key_rejected",
      "/api/alerts told of nothing; now: \(alert.map { "\($0.name), severity \($0.severity)" } ?? "nothing") for team-a"
    )
    stage.claim(
      answers.allSatisfy { $0.status == 200 },
      "no caller noticed: \(answers.count) calls answered, \(hits) of them first refused with team-a")
    let later = try await stage.calls(20, atOnce: 4) { try await $0.chat(openAI) }
    stage.claim(later.allSatisfy { $0.endpoint == "team-b" && $0.attempts == 1 }, "20 more went to team-b at once")
    try await stage.faults()
    let isReset = try await stage.client.operate("reset", pool: "openai", endpoint: "team-a")
    let after = try await stage.client.alerts()
    let again = try await stage.calls(40, atOnce: 6) { try await $0.chat(openAI) }
    let served = again.count { $0.endpoint == "team-a" }
    stage.claim(isReset && after.isEmpty, "the key is repaired and reset: \(after.count) alerts left")
    stage.claim(served > 0 && again.allSatisfy { $0.status == 200 }, "team-a serves again: \(served) of 40 calls")
  }

  static let deadEndpoint = TourStep(
    title: "An endpoint that dies",
    lesson: "Failures in a row take it out; free probes ask whether it lives; it returns without anybody's doing."
  ) { stage in
    try await stage.faults(SimulatorFault(.reset(.bytes(0)), match: first))
    var answers: [TourClient.Answer] = []
    while answers.count < 240, try await stage.client.pool("openai").endpoint("team-a")?.state == "healthy" {
      answers += try await stage.calls(6, atOnce: 6) { try await $0.chat(openAI) }
    }
    let state = try await stage.client.pool("openai").endpoint("team-a")?.state ?? "?"
    stage.observe("team-a resets every connection; after \(answers.count) calls it is \(state)")
    stage.claim(state != "healthy", "it was taken out")
    stage.claim(
      answers.allSatisfy { $0.status == 200 },
      "no caller noticed: \(answers.count { $0.attempts > 1 }) of the calls were repeated on team-b")
    let meanwhile = try await stage.calls(20, atOnce: 4) { try await $0.chat(openAI) }
    stage.claim(meanwhile.allSatisfy { $0.endpoint == "team-b" && $0.attempts == 1 }, "20 more went to team-b at once")
    try await stage.faults()
    stage.observe("the fault ends; who was taken out stays out for ten seconds at least, then has to pass two probes")
    let serving = ["healthy", "degraded"]
    let waited = try await stage.wait(for: "openai") { serving.contains($0.endpoint("team-a")?.state ?? "") }
    let now = try await stage.client.pool("openai").endpoint("team-a")?.state ?? "?"
    stage.claim(waited != nil, "it is back after \(seconds(waited)), \(now) until its failures are forgotten")
    _ = try await stage.client.operate("drain", pool: "openai", endpoint: "team-b")
    let later = try await stage.calls(5) { try await $0.chat(openAI) }
    _ = try await stage.client.operate("resume", pool: "openai", endpoint: "team-b")
    stage.claim(
      later.allSatisfy { $0.status == 200 && $0.endpoint == "team-a" }, "with team-b drained, team-a serves 5 calls")
    try await stage.heal("openai")
  }

  static let brokenStream = TourStep(
    title: "A stream that breaks",
    lesson:
      "After the first word nothing can be tried again; the client hears of it in its own protocol, never by silence."
  ) { stage in
    let cut = SimulatorFault(.truncate(.events(6), clean: false), match: .init(provider: "anthropic"), count: 1)
    try await stage.faults(cut)
    let own = try await stage.client.message("anthropic/claude-sonnet-4-5")
    stage.claim(
      own.body.contains("event: error") && !own.body.contains("message_stop"), "Anthropic's client gets `event: error`")
    try await stage.faults(cut)
    let other = try await stage.client.chat("anthropic/claude-sonnet-4-5", stream: true)
    stage.claim(
      other.body.contains(#"data: {"error":"#) && !other.body.contains("[DONE]"),
      "OpenAI's client, served by the same provider, gets `data: {\"error\": …}` and no [DONE]")
    try await stage.heal("anthropic")
  }

  static let fallback = TourStep(
    title: "Falling back along a route",
    lesson:
      "When a provider cannot serve, the route's next one does, in its own protocol; the answer is translated back."
  ) { stage in
    try await stage.faults(SimulatorFault(.status(.init(503)), match: .init(provider: "openai")))
    let answers = try await stage.calls(5) { try await $0.chat("fast") }
    stage.claim(
      answers.allSatisfy { $0.status == 200 && $0.pool == "gemini" }, "5 calls for `fast` answered by \(names(answers))"
    )
    stage.claim(
      answers.allSatisfy { $0.body.contains(#""object":"chat.completion""#) }, "each in OpenAI's form, as it was asked")
    stage.observe("requests sent for each: \(answers.map { "\($0.attempts)" }.joined(separator: ", "))")
    try await stage.heal("openai")
    let after = try await stage.calls(3) { try await $0.chat("fast") }
    stage.claim(after.allSatisfy { $0.pool == "openai" }, "the provider is back: \(names(after)) answers")
  }
}

// MARK: - Admission and operation

extension TourStep {
  static let priorities = TourStep(
    title: "Waiting by class",
    lesson: "All waiting happens in the pool's queue, where who is critical overtakes who is low."
  ) { stage in
    try await stage.faults(
      SimulatorFault(.slow(firstByte: .milliseconds(300), tokensPerSecond: nil), match: .init(key: "demo-narrow")))
    let model = "narrow/gpt-4o-mini"
    let client = stage.client
    async let low = stage.calls(6, atOnce: 6) { try await $0.chat(model, headers: [("x-sluice-class", "low")]) }
    // One of the six holds the only connection, five wait.
    let queued = try await stage.wait(for: "narrow") { $0.waiting.total >= 5 }
    let urgent = try await client.chat(model, headers: [("x-sluice-class", "critical")])
    let others = try await low
    let overtaken = others.count { $0.finished > urgent.finished }
    stage.claim(queued != nil, "a pool of one connection: five calls of class `low` wait")
    stage.claim(
      urgent.status == 200 && overtaken >= 3, "a `critical` call came last and overtook \(overtaken) of them")
    stage.claim(others.allSatisfy { $0.status == 200 }, "all of them were served in the end")
    try await stage.faults()
  }

  static let draining = TourStep(
    title: "Taking a key out of service",
    lesson: "Draining lets what runs run to its end and lends nothing new; no call is lost."
  ) { stage in
    async let running = stage.calls(60, atOnce: 6) { try await $0.chat(openAI) }
    let isDrained = try await stage.client.operate("drain", pool: "openai", endpoint: "team-a")
    let later = try await stage.calls(12, atOnce: 4) { try await $0.chat(openAI) }
    let all = try await running + later
    stage.claim(
      isDrained && all.allSatisfy { $0.status == 200 }, "\(all.count) calls while team-a drains: all answered")
    stage.claim(later.allSatisfy { $0.endpoint == "team-b" }, "what came after the word went to team-b")
    _ = try await stage.client.operate("resume", pool: "openai", endpoint: "team-a")
    let state = try await stage.client.pool("openai").endpoint("team-a")?.state ?? "?"
    stage.claim(state == "healthy", "resumed: team-a is \(state)")
  }

  static let reloading = TourStep(
    title: "A reload under traffic",
    lesson:
      "A new configuration is checked as a whole and takes effect in one step; one with a mistake changes nothing."
  ) { stage in
    let (current, write, client) = (stage.configuration.current, stage.configuration.write, stage.client)
    let old = current.text
    let served: @Sendable (TourClient.Pool) -> [String] = { $0.endpoints.map(\.name).sorted() }
    let (answers, done) = try await stage.traffic(atOnce: 6, { try await $0.chat(openAI) }) {
      current.replace(with: write(["c"]))
      let more = try await client.reload()
      let first = try await stage.calls(30, atOnce: 6) { try await $0.chat(openAI) }
      let keys = served(try await client.pool("openai"))
      current.replace(with: old.replacing("profile: demo", with: "profil: demo"))
      let wrong = try await client.reload()
      current.replace(with: old)
      let less = try await client.reload()
      return (more: more, first: first, keys: keys, wrong: wrong, less: less)
    }
    let all = answers + done.first
    let failed = all.count { $0.status != 200 }
    let third = all.count { $0.endpoint == "team-c" }
    stage.claim(
      done.more.report.applied && done.keys == ["team-a", "team-b", "team-c"] && third > 0,
      "a third key, in force after \(milliseconds(done.more.seconds)): team-c served \(third) calls")
    stage.claim(
      !done.wrong.report.applied && done.wrong.report.generation == done.more.report.generation,
      "a configuration with a mistake is refused: \(done.wrong.report.problems.first ?? "no reason given")")
    let later = try await stage.calls(20, atOnce: 4) { try await $0.chat(openAI) }
    stage.claim(
      done.less.report.applied && later.allSatisfy { $0.status == 200 && $0.endpoint != "team-c" },
      "the third key is gone after \(milliseconds(done.less.seconds)); 20 more calls go to the others")
    stage.claim(
      failed == 0 && answers.count >= 6, "\(all.count) calls ran meanwhile, 6 and more at once: \(failed) failed")
  }

  private static func milliseconds(_ seconds: Double) -> String { "\(Int((seconds * 1000).rounded())) ms" }

  private static func seconds(_ value: Double?) -> String {
    guard let value else { return "too long" }
    return "\((value * 10).rounded() / 10) s"
  }

  private static func names(_ answers: [TourClient.Answer]) -> String {
    Set(answers.map(\.pool)).sorted().joined(separator: " and ")
  }
}
