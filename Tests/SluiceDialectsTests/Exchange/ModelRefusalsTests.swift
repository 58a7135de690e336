import SluiceDialects
import SluicePolicy
import Testing

@Suite("Refused models")
struct ModelRefusalsTests {
  private let start = Instant(nanoseconds: 1_000_000_000_000)
  private let subject = ModelRefusals.Subject(pool: 1, model: 7)

  private func endpoint(_ position: Int) -> EndpointID { EndpointID(rawValue: UInt16(position)) }

  @Test(
    "A refusal is believed for the time it names, ten minutes at most",
    arguments: [
      (FailureClass.credential, Interval?.none, Interval.minutes(10)), (.caller, nil, .minutes(10)),
      (.rateLimited, nil, .seconds(10)), (.rateLimited, .seconds(40), .seconds(40)),
      (.credential, .hours(3), .minutes(10)),
    ])
  func span(_ failure: FailureClass, _ wait: Interval?, _ expected: Interval) {
    var refusals = ModelRefusals()
    #expect(refusals.refusing(subject, now: start).isEmpty)
    refusals.refused(subject, by: endpoint(3), as: failure, wait: wait, now: start)
    let last = start + expected + Interval(nanoseconds: -1)
    #expect(refusals.refusing(subject, now: last) == EndpointSet(endpoint(3)))
    #expect(refusals.refusing(subject, now: start + expected).isEmpty)
    #expect(refusals.isEmpty, "what is over is forgotten")
  }

  @Test("Other models and other pools are not concerned")
  func subjects() {
    var refusals = ModelRefusals()
    refusals.refused(subject, by: endpoint(3), as: .credential, wait: nil, now: start)
    #expect(refusals.refusing(.init(pool: 1, model: 8), now: start).isEmpty)
    #expect(refusals.refusing(.init(pool: 2, model: 7), now: start).isEmpty)
  }

  @Test("An answer that succeeds ends it, for that endpoint only")
  func served() {
    var refusals = ModelRefusals()
    for position in [3, 4] { refusals.refused(subject, by: endpoint(position), as: .credential, wait: nil, now: start) }
    refusals.served(subject, by: endpoint(5))
    #expect(refusals.refusing(subject, now: start).count == 2)
    refusals.served(subject, by: endpoint(3))
    #expect(refusals.refusing(subject, now: start) == EndpointSet(endpoint(4)))
    refusals.served(subject, by: endpoint(4))
    #expect(refusals.isEmpty)
  }

  @Test("A later refusal takes the place of an earlier one")
  func again() {
    var refusals = ModelRefusals()
    refusals.refused(subject, by: endpoint(3), as: .credential, wait: nil, now: start)
    refusals.refused(subject, by: endpoint(3), as: .rateLimited, wait: .seconds(1), now: start + .seconds(1))
    #expect(refusals.refusing(subject, now: start + .seconds(2)).isEmpty)
  }

  @Test("No more models are remembered than there is room for; the oldest goes first")
  func bound() {
    var refusals = ModelRefusals(capacity: 4)
    for model in 0..<1_000 {
      let now = start + .milliseconds(Int64(model))
      refusals.refused(.init(pool: 1, model: UInt64(model)), by: endpoint(1), as: .credential, wait: nil, now: now)
      #expect(refusals.count <= 4)
    }
    let now = start + .seconds(2)
    let known = (0..<1_000).filter { !refusals.refusing(.init(pool: 1, model: UInt64($0)), now: now).isEmpty }
    #expect(known == Array(996..<1_000))
  }
}
