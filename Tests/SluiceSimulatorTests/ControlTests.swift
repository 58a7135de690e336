import SluiceDialects
import SluiceSimulator
import Testing

/// The control interface over HTTP, and the JSON form of faults.
@Suite struct ControlTests {
  @Test func faultsOverHTTP() async throws {
    try await Harness.with { simulator in
      let list = """
        [{"kind":"status","status":429,"retry_after":"250ms","match":{"key":"sk-test-1"},"count":1,"rate":1}]
        """
      let put = try await simulator.send("PUT", "/_simulator/faults", list, [])
      #expect(put.status == 200, "\(put.text)")
      let refused = try await simulator.chat()
      #expect(refused.status == 429 && refused["retry-after-ms"] == "250")
      let shown = try await simulator.send("GET", "/_simulator/faults", nil, [])
      let fault = try #require(shown.json.array?.first)
      #expect(fault["hits"]?.int == 1 && fault["active"]?.bool == false && fault["retry_after"]?.double == 0.25)
      let gone = try await simulator.send("DELETE", "/_simulator/faults", nil, [])
      #expect(gone.json.array?.isEmpty == true)
      #expect(try await simulator.chat().status == 200)
    }
  }

  @Test func statsOverHTTP() async throws {
    try await Harness.with { simulator in
      _ = try await simulator.chat()
      let stats = try await simulator.send("GET", "/_simulator/stats", nil, [])
      #expect(stats.json["requests"]?["total"]?.int == 1)
      #expect(stats.json["requests"]?["by_path"]?["/v1/chat/completions"]?.int == 1)
      #expect(stats.json["requests"]?["by_key"]?["sk-test-1"]?.int == 1)
      #expect(stats.json["requests"]?["by_status"]?["200"]?.int == 1)
      _ = try await simulator.send("DELETE", "/_simulator/stats", nil, [])
      let empty = try await simulator.send("GET", "/_simulator/stats", nil, [])
      #expect(empty.json["requests"]?["total"]?.int == 0)
      #expect(try await simulator.send("GET", "/_simulator/health", nil, []).status == 200)
      #expect(try await simulator.send("GET", "/_simulator/else", nil, []).status == 404)
      #expect(try await simulator.send("POST", "/_simulator/stats", "{}", []).status == 405)
    }
  }

  @Test(arguments: [
    ("{}", "expected a list"), ("[", "not JSON"), ("[{}]", "kind is missing"),
    ("[{\"kind\":\"explode\"}]", "unknown kind"),
    ("[{\"kind\":\"status\"}]", "status is missing"), ("[{\"kind\":\"status\",\"status\":200}]", "between 400 and 599"),
    ("[{\"kind\":\"hang\",\"rat\":1}]", "unknown member 'rat'"), ("[{\"kind\":\"hang\",\"rate\":2}]", "rate must be"),
    ("[{\"kind\":\"hang\",\"count\":0}]", "count must be"),
    ("[{\"kind\":\"hang\",\"mode\":\"x\"}]", "mode must be one of"),
    ("[{\"kind\":\"stall\",\"for\":\"1 day\"}]", "for must be a number of seconds"),
    ("[{\"kind\":\"reset\",\"after_bytes\":1,\"after_events\":1}]", "exclude each other"),
    ("[{\"kind\":\"reset\",\"after_bytes\":-1}]", "must not be negative"),
    ("[{\"kind\":\"hang\",\"match\":{\"provider\":\"coherent\"}}]", "provider must be"),
    ("[{\"kind\":\"refuse\",\"match\":{\"key\":\"a\"},\"count\":1}]", "cannot match on a request"),
    ("[{\"kind\":\"refuse\",\"mode\":\"listener\",\"count\":1}]", "cannot count"),
    ("[{\"kind\":\"refuse\"}]", "a count or a duration is needed"),
    ("[{\"kind\":\"slow\",\"tokens_per_second\":0}]", "must be positive"),
  ])
  func nonsenseIsRefused(_ list: String, _ reason: String) async throws {
    try await Harness.with { simulator in
      let reply = try await simulator.send("PUT", "/_simulator/faults", list, [])
      #expect(reply.status == 400)
      #expect(reply.json["error"]?.string?.contains(reason) == true, "\(reply.text)")
      #expect(try await simulator.chat().status == 200)
    }
  }

  @Test func everyKindCanBeWrittenAndRead() async throws {
    let faults: [SimulatorFault] = [
      SimulatorFault(.refuse(.listener), duration: .seconds(1)), SimulatorFault(.refuse(.accept), count: 2),
      SimulatorFault(.hang(.accept), count: 1), SimulatorFault(.hang(.request)),
      SimulatorFault(.reset(.bytes(7))), SimulatorFault(.reset(.events(7))),
      SimulatorFault(.status(.init(429, retryAfter: .seconds(2), errorCode: "c", message: "m"))),
      SimulatorFault(.slow(firstByte: .milliseconds(1_500), tokensPerSecond: 2.5)),
      SimulatorFault(.truncate(.events(2), clean: true)), SimulatorFault(.garbage(.head)),
      SimulatorFault(.garbage(.chunk(afterEvents: 3))), SimulatorFault(.stall(.events(1), .seconds(4))),
      SimulatorFault(.stall(.bytes(100), nil)), SimulatorFault(.streamError(afterEvents: 2)),
      SimulatorFault(.idleClose(after: .seconds(3))), SimulatorFault(.halfClose),
      SimulatorFault(
        .earlyClose(.onReuse), match: .init(provider: "openai", key: "k*", path: "/v1/*", model: "m"), rate: 0.25),
    ]
    try await Harness.with { simulator in
      try await simulator.server.setFaults(Array(faults.dropFirst(3)))
      let shown = try await simulator.send("GET", "/_simulator/faults", nil, [])
      let text = shown.text.replacing(/,"hits":\d+,"active":(true|false)/, with: "")
      #expect(try SimulatorFault.decode(json: text) == Array(faults.dropFirst(3)))
    }
  }

  @Test func theListIsBounded() async throws {
    try await Harness.with(SimulatorOptions(maxFaults: 2)) { simulator in
      let fault = SimulatorFault(.halfClose)
      try await simulator.server.setFaults([fault, fault])
      await #expect(throws: SimulatorError.self) { try await simulator.server.setFaults([fault, fault, fault]) }
      #expect(try await simulator.server.faultHits().count == 2)
    }
  }
}
