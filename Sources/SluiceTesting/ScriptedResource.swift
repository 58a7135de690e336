import NIOCore
public import SluicePolicy
public import SluiceRuntime

/// A resource that does nothing but remember what was done to it.
public final class ScriptedResource: PoolableResource {
  /// Something that happens to it after a while.
  public enum LifeEvent: Sendable {
    /// The peer closes it; `idleFor` as the resource would report it, nil when it was in use.
    case die(after: Interval, idleFor: Interval?)
    /// It has room for another number of exchanges.
    case changeCapacity(Int, after: Interval)
    /// The peer takes no new exchanges.
    case startDraining(after: Interval)
  }

  /// What a verification finds out.
  public enum Verification: Sendable {
    case alive
    case dead
    /// No answer.
    case hang
  }

  private struct State: Sendable {
    var closeReasons: [CloseReason] = []
    var verifications = 0
    var verification = Verification.alive
    var confirmsClose = true
    var isClosed = false
    var uses = 0
  }

  /// Counts the resources of one connector from 0.
  public let number: Int
  /// What it was opened for.
  public let request: ConnectRequest
  private let state = Guarded(State())

  /// As ``ScriptedConnector`` makes it.
  public init(number: Int, request: ConnectRequest) {
    self.number = number
    self.request = request
  }

  /// The reasons of all calls of `close`.
  public var closeReasons: [CloseReason] { state.withLock { $0.closeReasons } }

  /// How often it was verified.
  public var verifications: Int { state.withLock { $0.verifications } }

  /// It has reported its end.
  public var isClosed: Bool { state.withLock { $0.isClosed } }

  /// What the next verifications find.
  public var verification: Verification {
    get { state.withLock { $0.verification } }
    set { state.withLock { $0.verification = newValue } }
  }

  /// False: it never reports that it closed, as a broken resource may behave.
  public var confirmsClose: Bool {
    get { state.withLock { $0.confirmsClose } }
    set { state.withLock { $0.confirmsClose = newValue } }
  }

  /// Counts exchanges that run at this moment; for checks that one is not lent twice.
  @discardableResult
  public func use(_ change: Int) -> Int {
    state.withLock { state in
      state.uses += change
      return state.uses
    }
  }

  /// The pool closes it.
  public func close(reason: CloseReason) {
    let confirms = state.withLock { state -> Bool in
      state.closeReasons.append(reason)
      return state.confirmsClose
    }
    if confirms { end(idleFor: nil) }
  }

  /// The pool wants to know.
  public func verify(deadline: Instant, _ done: @escaping @Sendable (Bool) -> Void) {
    let verification = state.withLock { state -> Verification in
      state.verifications += 1
      return state.isClosed ? .dead : state.verification
    }
    switch verification {
    case .alive: done(true)
    case .dead: done(false)
    case .hang: break
    }
  }

  /// The peer closes it.
  public func die(idleFor: Interval? = nil) {
    end(idleFor: idleFor)
  }

  /// It has room for another number of exchanges.
  public func changeCapacity(to capacity: Int) {
    if !isClosed { request.events.capacityChanged(capacity) }
  }

  /// The peer takes no new exchanges.
  public func startDraining() {
    if !isClosed { request.events.draining() }
  }

  func live(_ events: [LifeEvent]) {
    for event in events {
      switch event {
      case .die(let delay, let idleFor):
        later(delay) { $0.die(idleFor: idleFor) }
      case .changeCapacity(let capacity, let delay):
        later(delay) { $0.changeCapacity(to: capacity) }
      case .startDraining(let delay):
        later(delay) { $0.startDraining() }
      }
    }
  }

  private func later(_ delay: Interval, _ body: @escaping @Sendable (ScriptedResource) -> Void) {
    request.eventLoop.scheduleTask(in: .nanoseconds(delay.nanoseconds)) { body(self) }
  }

  private func end(idleFor: Interval?) {
    let first = state.withLock { state -> Bool in
      defer { state.isClosed = true }
      return !state.isClosed
    }
    if first { request.events.closed(idleFor: idleFor) }
  }
}
