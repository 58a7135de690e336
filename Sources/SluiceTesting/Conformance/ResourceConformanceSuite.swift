import NIOCore
import SluicePolicy
public import SluiceRuntime

/// Checks a connector and its resources against the rules that pools rely on.
///
/// Reports violations as values, so that it can be used with any test framework, and in programs:
///
/// ```swift
/// let violations = await ResourceConformanceSuite(subject).run()
/// #expect(violations.isEmpty, "\(violations)")
/// ```
///
/// Works in real time against a real peer, and is bounded: every check waits for at most ``ConformanceTimes/patience``
/// a few times over.
public struct ResourceConformanceSuite<Connector: ResourceConnector>: Sendable {
  let subject: ConformanceSubject<Connector>
  let times: ConformanceTimes
  let clock = SystemClock()

  /// - Parameters:
  ///   - subject: what to check.
  ///   - times: how long to wait for what.
  public init(_ subject: ConformanceSubject<Connector>, times: ConformanceTimes = ConformanceTimes()) {
    self.subject = subject
    self.times = times
  }

  /// Runs all checks, one after the other.
  ///
  /// - Returns: what was broken; empty is good.
  public func run() async -> [ConformanceViolation] {
    var found = ConformanceFindings()
    await checkConnect(&found)
    await checkRefusal(&found)
    await checkSilence(&found)
    await checkPassedDeadline(&found)
    await checkClose(&found)
    await checkCloseAtOnce(&found)
    await checkPeerClose(&found)
    await checkVerify(&found)
    await checkVerifyPassedDeadline(&found)
    await checkVerifyWhileClosing(&found)
    await checkRelease(&found)
    return found.violations
  }

  /// Opens a resource at the working origin; nil, and noted, when that fails.
  func open(_ found: inout ConformanceFindings, _ situation: String) async -> OpenedResource<Connector.Resource>? {
    let attempt = connect(to: subject.origin, within: times.patience)
    guard let answer = await attempt.answers.first(within: times.patience + times.slack, on: subject.eventLoop) else {
      found.add(.connectAnswersOnce, "\(situation): no answer within \(times.patience)")
      return nil
    }
    switch answer {
    case .failure(let error):
      found.add(.connectSucceeds, "\(situation): \(error)")
      return nil
    case .success(let connected):
      if connected.capacity < 1 { found.add(.capacityIsPositive, "\(situation): \(connected.capacity)") }
      return OpenedResource(resource: connected.resource, events: attempt.events, answers: attempt.answers)
    }
  }

  func connect(to origin: String, within limit: Interval) -> ConnectAttempt<Connector.Resource> {
    let events = RecordingSink()
    let answers = Answers<Result<Connected<Connector.Resource>, PoolConnectError>>()
    let id = ResourceID(index: 0, generation: 1)
    let request = ConnectRequest(
      resource: id, origin: OriginID(rawValue: 0), originIdentity: origin, eventLoop: subject.eventLoop,
      loop: LoopID(rawValue: 0), deadline: clock.now() + limit, clock: clock,
      events: ResourceEvents(resource: id, sink: events))
    onLoop { subject.connector.connect(request) { answers.add($0) } }
    return ConnectAttempt(events: events, answers: answers)
  }

  func verify(_ resource: Connector.Resource, within limit: Interval) -> Answers<Bool> {
    let answers = Answers<Bool>()
    let deadline = clock.now() + limit
    onLoop { resource.verify(deadline: deadline) { answers.add($0) } }
    return answers
  }

  func close(_ resource: Connector.Resource, _ reason: CloseReason = .idle) {
    onLoop { resource.close(reason: reason) }
  }

  /// Lets everything happen that is on its way, second answers above all.
  func quiet(_ interval: Interval? = nil) async {
    let wait = (interval ?? times.quiet).nanoseconds
    try? await subject.eventLoop.scheduleTask(in: .nanoseconds(wait)) {}.futureResult.get()
  }

  private func onLoop(_ body: @escaping @Sendable () -> Void) {
    subject.eventLoop.execute(body)
  }
}

/// What was found so far.
struct ConformanceFindings {
  private(set) var violations: [ConformanceViolation] = []

  mutating func add(_ rule: ConformanceViolation.Rule, _ detail: String) {
    violations.append(ConformanceViolation(rule: rule, detail: detail))
  }

  mutating func expect(_ condition: Bool, _ rule: ConformanceViolation.Rule, _ detail: @autoclosure () -> String) {
    if !condition { add(rule, detail()) }
  }
}

struct ConnectAttempt<Resource: PoolableResource>: Sendable {
  let events: RecordingSink
  let answers: Answers<Result<Connected<Resource>, PoolConnectError>>
}

struct OpenedResource<Resource: PoolableResource>: Sendable {
  let resource: Resource
  let events: RecordingSink
  let answers: Answers<Result<Connected<Resource>, PoolConnectError>>
}
