import NIOCore
import SluicePolicy
import SluiceRuntime

extension ResourceConformanceSuite {
  func checkConnect(_ found: inout ConformanceFindings) async {
    guard let opened = await open(&found, "connect") else { return }
    close(opened.resource)
    _ = await opened.events.closed(within: times.patience, on: subject.eventLoop)
    await quiet()
    found.expect(
      opened.answers.count == 1, .connectAnswersOnce, "a working origin: \(opened.answers.count) answers")
  }

  func checkRefusal(_ found: inout ConformanceFindings) async {
    guard let origin = subject.refusingOrigin else { return }
    let attempt = connect(to: origin, within: times.patience)
    switch await attempt.answers.first(within: times.patience + times.slack, on: subject.eventLoop) {
    case nil: found.add(.connectHonoursDeadline, "a refusing origin: no answer within \(times.patience)")
    case .success(let connected):
      found.add(.connectReportsRefusal, "a refusing origin: success")
      close(connected.resource)
    case .failure: break
    }
    await quiet()
    found.expect(attempt.answers.count <= 1, .connectAnswersOnce, "a refusing origin: \(attempt.answers.count) answers")
  }

  func checkSilence(_ found: inout ConformanceFindings) async {
    guard let origin = subject.silentOrigin else { return }
    await expectFailure(at: origin, within: times.shortDeadline, "a silent origin", &found)
  }

  func checkPassedDeadline(_ found: inout ConformanceFindings) async {
    guard let origin = subject.silentOrigin else { return }
    await expectFailure(at: origin, within: .milliseconds(-10), "a silent origin, deadline passed", &found)
  }

  private func expectFailure(
    at origin: String, within limit: Interval, _ situation: String, _ found: inout ConformanceFindings
  ) async {
    let attempt = connect(to: origin, within: limit)
    switch await attempt.answers.first(within: max(.zero, limit) + times.slack, on: subject.eventLoop) {
    case nil: found.add(.connectHonoursDeadline, "\(situation): no answer within \(limit) and \(times.slack)")
    case .success(let connected):
      found.add(.connectHonoursDeadline, "\(situation): success")
      close(connected.resource)
    case .failure: break
    }
    await quiet()
    found.expect(attempt.answers.count <= 1, .connectAnswersOnce, "\(situation): \(attempt.answers.count) answers")
  }

  func checkClose(_ found: inout ConformanceFindings) async {
    guard let opened = await open(&found, "close three times") else { return }
    close(opened.resource, .idle)
    close(opened.resource, .broken)
    await expectClosed(opened, .closeIsReported, "close three times", &found)
    close(opened.resource, .shutdown)
    await expectNothingMore(opened, "close three times", &found)
  }

  /// The pool may lose interest at the very moment the connector hands over.
  func checkCloseAtOnce(_ found: inout ConformanceFindings) async {
    let events = RecordingSink()
    let answers = Answers<Result<Connected<Connector.Resource>, PoolConnectError>>()
    let id = ResourceID(index: 0, generation: 1)
    let request = ConnectRequest(
      resource: id, origin: OriginID(rawValue: 0), originIdentity: subject.origin, eventLoop: subject.eventLoop,
      loop: LoopID(rawValue: 0), deadline: clock.now() + times.patience, clock: clock,
      events: ResourceEvents(resource: id, sink: events))
    subject.eventLoop.execute { [connector = subject.connector] in
      connector.connect(request) { result in
        if case .success(let connected) = result {
          request.eventLoop.execute { connected.resource.close(reason: .cancelled) }
        }
        answers.add(result)
      }
    }
    guard case .success(let connected)? = await answers.first(within: times.patience, on: subject.eventLoop) else {
      return
    }
    let opened = OpenedResource(resource: connected.resource, events: events, answers: answers)
    await expectClosed(opened, .closeIsReported, "close at once", &found)
    await expectNothingMore(opened, "close at once", &found)
  }

  func checkPeerClose(_ found: inout ConformanceFindings) async {
    guard let closeByPeer = subject.closeByPeer, let opened = await open(&found, "closed by the peer") else { return }
    let resource = opened.resource
    subject.eventLoop.execute { closeByPeer(resource) }
    await expectClosed(opened, .peerCloseIsReported, "closed by the peer", &found)
    let answer = await verify(resource, within: times.patience).first(within: times.patience, on: subject.eventLoop)
    found.expect(answer == false, .verifyTellsTheTruth, "closed by the peer: \(answer.map { "\($0)" } ?? "no answer")")
    close(resource)
    await expectNothingMore(opened, "closed by the peer, then by us", &found)
  }

  func checkVerify(_ found: inout ConformanceFindings) async {
    guard let opened = await open(&found, "verify") else { return }
    let open = verify(opened.resource, within: times.patience)
    await expect(true, open, "an open resource", &found)
    close(opened.resource)
    _ = await opened.events.closed(within: times.patience, on: subject.eventLoop)
    let closed = verify(opened.resource, within: times.patience)
    await expect(false, closed, "a closed resource", &found)
    await expectNothingMore(opened, "verified after close", &found)
  }

  /// A deadline that is short for a real answer: either answer is right, none or two are not.
  func checkVerifyPassedDeadline(_ found: inout ConformanceFindings) async {
    guard let opened = await open(&found, "verify, deadline passed") else { return }
    let answers = verify(opened.resource, within: .milliseconds(-10))
    let first = await answers.first(within: times.slack, on: subject.eventLoop)
    found.expect(first != nil, .verifyAnswersByDeadline, "deadline passed: no answer within \(times.slack)")
    await quiet()
    found.expect(answers.count <= 1, .verifyAnswersOnce, "deadline passed: \(answers.count) answers")
    close(opened.resource)
  }

  func checkVerifyWhileClosing(_ found: inout ConformanceFindings) async {
    guard let opened = await open(&found, "close while verifying") else { return }
    let answers = verify(opened.resource, within: times.shortDeadline)
    close(opened.resource)
    let first = await answers.first(within: times.shortDeadline + times.slack, on: subject.eventLoop)
    found.expect(first != nil, .verifyAnswersByDeadline, "closed meanwhile: no answer")
    // Past the deadline, where a timer that nobody cancelled would answer again.
    await quiet(times.shortDeadline + times.quiet)
    found.expect(answers.count <= 1, .verifyAnswersOnce, "closed meanwhile: \(answers.count) answers")
  }

  /// What is closed must not be held by timers, handlers or itself.
  func checkRelease(_ found: inout ConformanceFindings) async {
    guard let watched = await openAndClose(&found) else { return }
    var rounds = 0
    while watched.isAlive && rounds < 100 {
      await quiet(.milliseconds(10))
      rounds += 1
    }
    found.expect(!watched.isAlive, .closedResourceIsReleased, "still alive a second after it closed")
  }

  private func openAndClose(_ found: inout ConformanceFindings) async -> WeakResource? {
    guard let opened = await open(&found, "release") else { return nil }
    close(opened.resource)
    _ = await opened.events.closed(within: times.patience, on: subject.eventLoop)
    opened.answers.forget()
    return WeakResource(opened.resource)
  }

  private func expect(
    _ truth: Bool, _ answers: Answers<Bool>, _ situation: String, _ found: inout ConformanceFindings
  ) async {
    switch await answers.first(within: times.patience + times.slack, on: subject.eventLoop) {
    case nil: found.add(.verifyAnswersByDeadline, "\(situation): no answer")
    case .some(let answer): found.expect(answer == truth, .verifyTellsTheTruth, "\(situation): \(answer)")
    }
    await quiet()
    found.expect(answers.count <= 1, .verifyAnswersOnce, "\(situation): \(answers.count) answers")
  }

  private func expectClosed(
    _ opened: OpenedResource<Connector.Resource>, _ rule: ConformanceViolation.Rule, _ situation: String,
    _ found: inout ConformanceFindings
  ) async {
    let closed = await opened.events.closed(within: times.patience, on: subject.eventLoop)
    found.expect(closed, rule, "\(situation): not within \(times.patience)")
  }

  private func expectNothingMore(
    _ opened: OpenedResource<Connector.Resource>, _ situation: String, _ found: inout ConformanceFindings
  ) async {
    await quiet()
    let closings = opened.events.closings
    found.expect(closings <= 1, .closeIsReportedOnce, "\(situation): reported \(closings) times")
    let late = opened.events.eventsAfterClose
    found.expect(late == 0, .nothingAfterClose, "\(situation): \(late) events after the end")
  }
}

/// Looks whether a resource still exists.
// Sendable although it has a weak variable: it is set once, when made.
private final class WeakResource: @unchecked Sendable {
  private weak var resource: (any PoolableResource)?

  init(_ resource: any PoolableResource) {
    self.resource = resource
  }

  var isAlive: Bool { resource != nil }
}
