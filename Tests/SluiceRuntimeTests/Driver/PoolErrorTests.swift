import SluicePolicy
import SluiceRuntime
import Testing

@Suite struct PoolErrorTests {
  @Test func adaptersCanSayWhenARetryIsSafe() {
    struct Reset: Error {}
    let error = PoolError(
      .stopped, culprit: .remote, retry: .onlyIfReusedAndNothingReceived, pool: "openai", label: "reset", cause: Reset()
    )
    #expect(error.retry == .onlyIfReusedAndNothingReceived)
    #expect(error.numbers == nil)
    #expect(error.cause is Reset)
    #expect(error.description == "pool openai: reset: Reset()")
  }

  @Test func withoutALabelTheCodeIsTheLabel() {
    let error = PoolError(.unknownPool, culprit: .caller, retry: .never, pool: "x")
    #expect(error.label == "unknown_pool")
    #expect(error.code == .unknownPool)
    #expect(error.code != .cancelled)
  }
}
