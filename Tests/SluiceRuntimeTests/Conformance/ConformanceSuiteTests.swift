import NIOCore
import NIOPosix
import SluicePolicy
import SluiceRuntime
import SluiceTesting
import Testing

/// The suite finds nothing wrong with a good connector, and each rule finds the connector that breaks it.
@Suite struct ConformanceSuiteTests {
  typealias Rule = ConformanceViolation.Rule

  /// What works answers long before `patience` has passed; what is broken is waited for that long.
  private func run(_ fault: FaultyConnector.Fault?, patience: Interval) async -> Set<Rule> {
    var subject = ConformanceSubject(
      connector: FaultyConnector(fault), eventLoop: MultiThreadedEventLoopGroup.singleton.any(), origin: "good")
    subject.refusingOrigin = "refusing"
    subject.silentOrigin = "silent"
    subject.closeByPeer = { $0.die() }
    var times = ConformanceTimes()
    times.patience = patience
    times.shortDeadline = .milliseconds(20)
    times.slack = patience
    times.quiet = .milliseconds(5)
    return Set(await ResourceConformanceSuite(subject, times: times).run().map(\.rule))
  }

  @Test func aGoodConnectorPasses() async {
    #expect(await run(nil, patience: .minutes(5)) == [])
  }

  @Test(arguments: FaultyConnector.Fault.allCases)
  func everyFaultIsFound(_ fault: FaultyConnector.Fault) async {
    // On a busy machine little patience can end a check before it gets to the fault.
    var broken: Set<Rule> = []
    for patience in [Interval.milliseconds(100), .seconds(2), .seconds(40)] where !broken.contains(fault.rule) {
      broken = await run(fault, patience: patience)
    }
    #expect(broken.contains(fault.rule), "found \(broken)")
  }

  @Test func everyRuleHasItsCanary() {
    #expect(Set(FaultyConnector.Fault.allCases.map(\.rule)) == Set(Rule.allCases))
  }
}

/// A connector that keeps all rules but one.
final class FaultyConnector: ResourceConnector {
  enum Fault: CaseIterable, Sendable {
    case answersTwice, neverConnects, ignoresDeadline, succeedsAnywhere, noCapacity
    case closesSilently, reportsCloseTwice, ignoresPeer, talksAfterClose
    case verifySilent, verifyTwice, verifyLies, keepsItself

    var rule: ConformanceViolation.Rule {
      switch self {
      case .answersTwice: .connectAnswersOnce
      case .neverConnects: .connectSucceeds
      case .ignoresDeadline: .connectHonoursDeadline
      case .succeedsAnywhere: .connectReportsRefusal
      case .noCapacity: .capacityIsPositive
      case .closesSilently: .closeIsReported
      case .reportsCloseTwice: .closeIsReportedOnce
      case .ignoresPeer: .peerCloseIsReported
      case .talksAfterClose: .nothingAfterClose
      case .verifySilent: .verifyAnswersByDeadline
      case .verifyTwice: .verifyAnswersOnce
      case .verifyLies: .verifyTellsTheTruth
      case .keepsItself: .closedResourceIsReleased
      }
    }
  }

  private let fault: Fault?
  private let kept = Guarded<[FaultyResource]>([])

  init(_ fault: Fault?) {
    self.fault = fault
  }

  func connect(
    _ request: ConnectRequest,
    _ done: @escaping @Sendable (Result<Connected<FaultyResource>, PoolConnectError>) -> Void
  ) {
    switch request.originIdentity {
    case "refusing" where fault != .succeedsAnywhere:
      done(.failure(PoolConnectError(.network, label: "refused")))
    case "silent":
      if fault == .ignoresDeadline { return }
      request.eventLoop.scheduleTask(deadline: request.loopDeadline) {
        done(.failure(PoolConnectError(.timeout, label: "timeout")))
      }
    default:
      if fault == .neverConnects { return done(.failure(PoolConnectError(.network, label: "broken"))) }
      let resource = FaultyResource(fault, request)
      if fault == .keepsItself { kept.withLock { $0.append(resource) } }
      let connected = Connected(resource: resource, capacity: fault == .noCapacity ? 0 : 1)
      done(.success(connected))
      if fault == .answersTwice { done(.success(connected)) }
    }
  }
}

final class FaultyResource: PoolableResource {
  private let fault: FaultyConnector.Fault?
  private let request: ConnectRequest
  private let isClosed = Guarded(false)

  init(_ fault: FaultyConnector.Fault?, _ request: ConnectRequest) {
    self.fault = fault
    self.request = request
  }

  func close(reason: CloseReason) {
    if fault != .closesSilently { end() }
  }

  func die() {
    if fault != .ignoresPeer { end() }
  }

  private func end() {
    let wasClosed = isClosed.replace(with: true)
    if !wasClosed || fault == .reportsCloseTwice { request.events.closed(idleFor: nil) }
    if fault == .talksAfterClose { request.events.capacityChanged(3) }
  }

  func verify(deadline: Instant, _ done: @escaping @Sendable (Bool) -> Void) {
    if fault == .verifySilent { return }
    done(fault == .verifyLies ? true : !isClosed.value)
    if fault == .verifyTwice { done(false) }
  }
}
