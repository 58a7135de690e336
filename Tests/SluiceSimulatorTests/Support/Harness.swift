import Foundation
import SluiceDialects
import SluiceSimulator
import Testing

/// A running simulator and the ways to talk to it.
struct Harness: Sendable {
  let server: SimulatorServer
  let address: SimulatorAddress

  /// Runs a simulator for the time of a test.
  static func with<Result: Sendable>(
    _ options: SimulatorOptions = SimulatorOptions(clock: .manual(startingAt: 1_795_246_259)),
    _ body: @Sendable (Harness) async throws -> Result
  ) async throws -> Result {
    let server = SimulatorServer(options)
    let harness = Harness(server: server, address: try await server.start())
    do {
      let result = try await body(harness)
      await server.stop()
      return result
    } catch {
      await server.stop()
      throw error
    }
  }

  static func request(
    _ method: String, _ path: String, body: String? = nil, headers: [String] = []
  ) -> String {
    var text = "\(method) \(path) HTTP/1.1\r\nhost: simulator\r\n"
    for header in headers { text += header + "\r\n" }
    if let body { text += "content-type: application/json\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)" }
    return body == nil ? text + "\r\n" : text
  }

  static let openAIKey = "authorization: Bearer sk-test-1"
  static let anthropicHeaders = ["x-api-key: sk-ant-test-1", "anthropic-version: 2023-06-01"]

  /// One request on a connection of its own.
  func send(_ method: String, _ path: String, _ body: String? = nil, _ headers: [String]) async throws -> HTTPReply {
    let client = try await RawClient.connect(address)
    let reply = try await exchange(client, Self.request(method, path, body: body, headers: headers))
    await client.close()
    return try #require(reply)
  }

  func openAI(_ path: String, _ body: String, headers: [String] = [openAIKey]) async throws -> HTTPReply {
    try await send("POST", path, body, headers)
  }

  func chat(_ text: String = "Say hello", extra: String = "", key: String = "sk-test-1") async throws -> HTTPReply {
    try await openAI(
      "/v1/chat/completions", Self.chatBody(text, extra: extra), headers: ["authorization: Bearer \(key)"])
  }

  static func chatBody(_ text: String = "Say hello", extra: String = "") -> String {
    "{\"model\":\"gpt-5.4-mini\",\"messages\":[{\"role\":\"user\",\"content\":\(JSONValue.string(text).jsonText)}]\(extra)}"
  }

  func anthropic(_ path: String, _ body: String, headers: [String] = anthropicHeaders) async throws -> HTTPReply {
    try await send("POST", path, body, headers)
  }

  func messages(_ text: String = "Say hello", extra: String = "") async throws -> HTTPReply {
    try await anthropic("/v1/messages", Self.messagesBody(text, extra: extra))
  }

  static func messagesBody(_ text: String = "Say hello", extra: String = "") -> String {
    "{\"model\":\"claude-sonnet-5-5\",\"max_tokens\":256,\"messages\":[{\"role\":\"user\",\"content\":"
      + "\(JSONValue.string(text).jsonText)}]\(extra)}"
  }

  /// One request and its answer on a connection that is kept; `nil` if no complete answer came.
  func exchange(_ client: RawClient, _ request: String) async throws -> HTTPReply? {
    try await client.reset()
    try await client.send(request)
    let seen = try await client.read { HTTPReply($0.bytes, isEnded: $0.hasEnded) != nil || $0.hasEnded }
    return HTTPReply(seen.bytes, isEnded: seen.hasEnded)
  }

  /// Asks again until the counters are as wanted; each look is a round trip to the simulator's loop.
  func stats(until isDone: (SimulatorStats) -> Bool) async throws -> SimulatorStats {
    let limit = Patience.end
    while ContinuousClock.now < limit {
      let stats = await server.stats()
      if isDone(stats) { return stats }
      await Task.yield()
    }
    return await server.stats()
  }

  /// Waits until so many exchanges wait for the manual clock.
  func untilPending(_ count: Int) async throws {
    let limit = Patience.end
    while try await server.pendingTimers() != count {
      guard ContinuousClock.now < limit else {
        Issue.record("never \(count) exchanges waiting")
        return
      }
      await Task.yield()
    }
  }
}

// Closures inside the testing macros may be confused with others of the same type by the compiler (seen with 6.3.1:
// the predicate of one `#expect` ran in place of the next one's). These helpers keep them out.
extension [JSONValue] {
  func texts(_ name: String) -> [String] {
    compactMap { $0[name]?.string }
  }

  func first(type: String) -> JSONValue? {
    first { $0["type"]?.string == type }
  }

  /// The first frame of the same type.
  func first(like other: JSONValue) -> JSONValue? {
    first { $0["type"] == other["type"] }
  }
}

/// The protocol samples.
enum Fixture {
  static func text(_ name: String) throws -> String {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try String(contentsOf: folder.appending(path: "Fixtures/simulator/\(name)"), encoding: .utf8)
  }

  static func json(_ name: String) throws -> JSONValue {
    try JSONReader.read(Array(try text(name).utf8))
  }

  static func events(_ name: String) throws -> [JSONValue] {
    try text(name).split(separator: "\n\n").compactMap { frame in
      let data = frame.split(separator: "\n").first { $0.hasPrefix("data: ") }?.dropFirst(6)
      return data.flatMap { try? JSONReader.read(Array($0.utf8)) }
    }
  }

  /// Names of the headers in a block.
  static func headerNames(_ name: String) throws -> Set<String> {
    let lines = try text(name).split(whereSeparator: \.isNewline).dropFirst()
    return Set(lines.compactMap { $0.split(separator: ":").first.map(String.init) })
  }
}

/// Compares documents by shape: the same members everywhere, of the same kind. `null` stands for any kind; of arrays
/// the first items are compared.
enum Shape {
  static func differences(
    _ actual: JSONValue, _ sample: JSONValue, at path: String = "$", ignoring ignored: Set<String> = []
  ) -> [String] {
    switch (actual, sample) {
    case (.null, _), (_, .null): return []
    case (.object(let left), .object(let right)):
      let leftNames = Set(left.map(\.name)).subtracting(ignored)
      let rightNames = Set(right.map(\.name)).subtracting(ignored)
      var found = leftNames.subtracting(rightNames).sorted().map { "\(path).\($0) is not in the sample" }
      found += rightNames.subtracting(leftNames).sorted().map { "\(path).\($0) is missing" }
      for member in left where rightNames.contains(member.name) {
        guard let other = sample[member.name] else { continue }
        found += differences(member.value, other, at: "\(path).\(member.name)", ignoring: ignored)
      }
      return found
    case (.array(let left), .array(let right)):
      guard let first = left.first, let other = right.first else { return [] }
      return differences(first, other, at: "\(path)[0]", ignoring: ignored)
    case (.int, .double), (.double, .int): return []
    default: return kind(actual) == kind(sample) ? [] : ["\(path) is \(kind(actual)), not \(kind(sample))"]
    }
  }

  private static func kind(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool: "bool"
    case .int, .double, .literal: "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }
}
