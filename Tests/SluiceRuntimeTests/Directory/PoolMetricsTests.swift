import Metrics
import SluicePolicy
import SluiceRuntime
import SluiceTesting
import Testing

@Suite struct PoolMetricsTests {
  @Test func gaugesAreSetAndCountersRaisedByWhatWasAdded() throws {
    let factory = RecordingFactory()
    var metrics = PoolMetrics(factory: factory)
    let bench = try Bench(.test(max: 3))
    try bench.mustLease().release(.success)
    let held = try bench.mustLease()
    metrics.report([(bench.pool.snapshot(), bench.pool.counters)])
    #expect(factory.value("sluice_pool_resources", "leased") == 1)
    #expect(factory.value("sluice_pool_resources_max") == 3)
    #expect(factory.value("sluice_pool_acquired_total") == 2)
    #expect(factory.value("sluice_pool_connects_total", "success") == 1)
    held.release(.success)
    try bench.mustLease().release(.success)
    metrics.report([(bench.pool.snapshot(), bench.pool.counters)])
    #expect(factory.value("sluice_pool_resources", "leased") == 0)
    #expect(factory.value("sluice_pool_acquired_total") == 3, "added up by the back end, not counted twice")
  }

  @Test func twoPoolsOfOneNameAreAddedUpAndInflateNothing() throws {
    let factory = RecordingFactory()
    var metrics = PoolMetrics(factory: factory)
    let (old, new) = (try Bench(.test(max: 3)), try Bench(.test(max: 3)))
    for _ in 1...5 { try old.mustLease().release(.success) }
    try new.mustLease().release(.success)
    for _ in 1...3 {
      metrics.report([(old.pool.snapshot(), old.pool.counters), (new.pool.snapshot(), new.pool.counters)])
      #expect(factory.value("sluice_pool_acquired_total") == 6)
      #expect(factory.value("sluice_pool_resources_max") == 6)
    }
    metrics.report([(new.pool.snapshot(), new.pool.counters)])
    try new.mustLease().release(.success)
    metrics.report([(new.pool.snapshot(), new.pool.counters)])
    #expect(factory.value("sluice_pool_acquired_total") == 7, "what the old one counted stays counted")
  }

  @Test func metricsOfAPoolThatIsGoneAreGivenBack() throws {
    let factory = RecordingFactory()
    var metrics = PoolMetrics(factory: factory)
    let bench = try Bench()
    metrics.report([(bench.pool.snapshot(), bench.pool.counters)])
    #expect(factory.count > 10)
    metrics.report([])
    #expect(factory.count == 0)
  }
}

/// A metrics back end that remembers values by label and dimensions.
private final class RecordingFactory: MetricsFactory {
  private let values = Guarded<[String: Double]>([:])

  var count: Int { values.withLock { $0.count } }

  func value(_ label: String, _ dimension: String? = nil) -> Double? {
    values.withLock { values in values[label + "/test" + (dimension.map { "/" + $0 } ?? "")] }
  }

  func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    instrument(label, dimensions)
  }

  func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    instrument(label, dimensions)
  }

  func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { NOOPMetricsHandler.instance }
  func destroyCounter(_ handler: any CounterHandler) { destroy(handler) }
  func destroyRecorder(_ handler: any RecorderHandler) { destroy(handler) }
  func destroyTimer(_ handler: any TimerHandler) {}

  private func instrument(_ label: String, _ dimensions: [(String, String)]) -> Instrument {
    let key = ([label] + dimensions.map(\.1)).joined(separator: "/")
    values.withLock { $0[key] = 0 }
    return Instrument(key: key, values: values)
  }

  private func destroy(_ handler: Any) {
    guard let instrument = handler as? Instrument else { return }
    values.withLock { $0[instrument.key] = nil }
  }

  private final class Instrument: CounterHandler, RecorderHandler {
    let key: String
    private let values: Guarded<[String: Double]>

    init(key: String, values: Guarded<[String: Double]>) {
      self.key = key
      self.values = values
    }

    func increment(by amount: Int64) { values.withLock { $0[key, default: 0] += Double(amount) } }
    func reset() { values.withLock { $0[key] = 0 } }
    func record(_ value: Int64) { values.withLock { $0[key] = Double(value) } }
    func record(_ value: Double) { values.withLock { $0[key] = value } }
  }
}
