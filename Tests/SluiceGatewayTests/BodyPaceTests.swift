import NIOCore
import SluiceDialects
import SluiceGateway
import SluicePolicy
import Testing

@Suite("How slowly a body may come", .mustEnd)
struct BodyPaceTests {
  private static let start = Instant(nanoseconds: 1_000_000_000)

  /// A client that sends `bytes` every `pause`; when it is cut off, if ever, within the hour.
  private static func cutOff(_ pace: BodyPace, bytes: Int, every pause: Interval) -> Interval? {
    var now = start
    var received = 0
    while now - start < .hours(1) {
      let deadline = pace.deadline(received: received, now: now)
      now = now + pause
      if now > deadline { return deadline - start }
      received += bytes
    }
    return nil
  }

  @Test func aDripIsCutOffAfterTheGrace() {
    let pace = BodyPace(began: Self.start, pause: .seconds(30), rate: 500)
    let cut = Self.cutOff(pace, bytes: 1, every: .seconds(29))
    #expect(cut == .seconds(30) + .milliseconds(2), "a byte earns two milliseconds")
    let slow = Self.cutOff(pace, bytes: 400, every: .seconds(1))
    #expect(slow.map { $0 > .seconds(145) && $0 < .seconds(155) } == true, "a fifth too slow lasts five graces")
    #expect(Self.cutOff(pace, bytes: 500, every: .seconds(1)) == nil)
    #expect(Self.cutOff(pace, bytes: 1 << 20, every: .seconds(29)) == nil)
  }

  @Test func aPauseIsAPauseAtAnyRate() {
    let pace = BodyPace(began: Self.start, pause: .seconds(30), rate: 500)
    #expect(Self.cutOff(pace, bytes: 1 << 20, every: .seconds(31)) == .seconds(30))
    let free = BodyPace(began: Self.start, pause: .seconds(30), rate: 0)
    #expect(Self.cutOff(free, bytes: 1, every: .seconds(29)) == nil)
    #expect(Self.cutOff(free, bytes: 1, every: .seconds(31)) == .seconds(30))
  }

  @Test func nothingOverflows() {
    let pace = BodyPace(began: Self.start, pause: .max, rate: 1)
    #expect(pace.deadline(received: .max, now: Self.start) > Self.start)
  }

  @Test("A client that drips its body gets 408", arguments: [500, 0])
  func dripping(rate: Int) async throws {
    let upstream = try await RawUpstream.start(on: TestGateway.group)
    let clock = HeldClock()
    var limits = GatewayLimits.unhurried
    limits.bodyTimeout = .milliseconds(40)
    limits.minBodyRate = rate
    let gateway = try await TestGateway.start([.init(ports: [upstream.port])], limits: limits, clock: clock)
    let body = #"{"model":"gpt-4o-mini","messages":[]}"#
    let client = try await gateway.connect()
    try await client.send(
      "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        + "content-length: \(body.utf8.count)\r\n\r\n")
    for piece in [String(body.prefix(1)), String(body.dropFirst().prefix(1))] {
      client.post(piece)
      // Looked at by the time that another client got its answer on each event loop.
      _ = try await gateway.unsentWhenSettled(client)
      clock.advance(by: .milliseconds(39))
    }
    if rate == 0 {
      client.post(String(body.dropFirst(2)))
      let provider = try await upstream.connection()
      _ = await provider.readRequest()
      try await provider.answer(Requests.answer)
    }
    #expect(await client.readAnswer().status == (rate == 0 ? 200 : 408))
    await gateway.stop()
    try await upstream.stop()
  }
}
