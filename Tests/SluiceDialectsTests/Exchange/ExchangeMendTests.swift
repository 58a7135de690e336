import SluiceDialects
import SluicePolicy
import Testing

/// Attempts whose signature is put right: once per exchange, at no cost, and without blaming the endpoint.
struct ExchangeMendTests {
  @Test func aCorrectedClockSendsAgainAtOnce() {
    var exchange = ExchangeHarness(ExchangeSettings(attempts: 1))
    exchange.budget = 0
    exchange.send()
    _ = exchange.head(403)
    let again = exchange.refuseSignature()
    #expect(again.plan?.excluding.isEmpty == true)
    #expect(again.release?.result == .failed(.credential) && again.release?.scope == .model)
    _ = exchange.grant()
    #expect(exchange.head().step == .hold)
    #expect(exchange.ended().step == .deliver)
    #expect(exchange.machine.counters.mends == 1 && exchange.machine.counters.retries == 0)
    #expect(exchange.machine.counters.sent == 2)
  }

  @Test func theSecondRefusalIsAnAnswer() {
    var exchange = ExchangeHarness()
    exchange.send()
    _ = exchange.head(403)
    _ = exchange.refuseSignature()
    _ = exchange.grant()
    _ = exchange.head(403)
    // It walks: no other endpoint, so the provider's own words are passed on.
    #expect(exchange.refuseSignature().plan?.excluding.contains(EndpointID(rawValue: 0)) == true)
    let failure = exchange.reject(.notAllowed).failure
    #expect(failure?.code == .credentialRejected && failure?.usesRecordedAnswer == true)
    #expect(exchange.machine.counters.mends == 1)
  }

  @Test func newCredentialsAreWaitedForWithoutALease() {
    var exchange = ExchangeHarness()
    exchange.send()
    _ = exchange.head(403)
    let wait = exchange.refuseSignature(.seconds(5))
    #expect(wait.step == .sleep(until: exchange.now + .seconds(5)))
    #expect(wait.release != nil)
    exchange.advance(.milliseconds(30))
    #expect(exchange.mended().plan != nil)
    #expect(exchange.mended().step == .none, "once is enough")
  }

  @Test func whoWaitsInVainTriesOnceMore() {
    var exchange = ExchangeHarness()
    exchange.send()
    _ = exchange.head(403)
    _ = exchange.refuseSignature(.seconds(5))
    exchange.advance(.seconds(5))
    #expect(exchange.deadline().plan != nil)
  }

  @Test func anotherPauseDoesNotEndWithNewCredentials() {
    var exchange = ExchangeHarness()
    exchange.random = .max
    exchange.send()
    let pause = exchange.answerError(.server)
    if case .sleep = pause.step {} else { Issue.record("\(pause.step)") }
    #expect(exchange.mended().step == .none)
  }

  @Test func nothingToSignWithIsNotAnAttempt() {
    var exchange = ExchangeHarness()
    exchange.send()
    let wait = exchange.unsigned(.seconds(5))
    #expect(wait.release == ExchangeReport(result: .unused, total: .zero, model: 42))
    #expect(exchange.machine.counters.sent == 0)
    _ = exchange.mended()
    _ = exchange.grant()
    // Still nothing: other endpoints, then the gateway's own error.
    #expect(exchange.unsigned(nil).plan?.excluding.contains(EndpointID(rawValue: 0)) == true)
    let failure = exchange.reject(.notAllowed).failure
    #expect(failure?.code == .credentialsMissing && failure?.usesRecordedAnswer == false)
    #expect(failure?.code.status == 503)
  }
}
