import NIOCore
public import SluicePolicy
public import SluiceRuntime

/// A connector that does what a test tells it to, one step for each connect.
public final class ScriptedConnector: ResourceConnector {
  /// What happens with one connect.
  public enum Step: Sendable {
    /// A resource after a while; a zero delay answers before `connect` returns.
    case succeed(after: Interval = .zero, capacity: Int = 1, life: [ScriptedResource.LifeEvent] = [])
    /// No resource after a while.
    case fail(FailureClass, after: Interval = .zero)
    /// No answer, not even at the deadline, until ``ScriptedConnector/answer(_:with:)``.
    case hang
    /// Two answers, as a broken connector may give them; each with a resource of its own.
    case succeedTwice
  }

  private struct Pending: Sendable {
    let request: ConnectRequest
    let done: @Sendable (Result<Connected<ScriptedResource>, PoolConnectError>) -> Void
  }

  private struct State: Sendable {
    var script: [Step]
    var pending: [Pending] = []
    var resources: [ScriptedResource] = []
  }

  private let otherwise: Step
  private let state: Guarded<State>

  /// - Parameters:
  ///   - script: the first connects, in order.
  ///   - otherwise: all further ones.
  public init(script: [Step] = [], otherwise: Step = .succeed()) {
    self.otherwise = otherwise
    state = Guarded(State(script: script))
  }

  /// What the pool has asked for, in order.
  public var requests: [ConnectRequest] { state.withLock { $0.pending.map(\.request) } }

  /// What was handed over, in order.
  public var resources: [ScriptedResource] { state.withLock { $0.resources } }

  /// Connects that were handed over and not closed yet.
  public var openCount: Int { resources.count { !$0.isClosed } }

  /// Puts further steps behind those that are left.
  public func append(_ steps: Step...) {
    state.withLock { $0.script += steps }
  }

  /// Does the next step.
  public func connect(
    _ request: ConnectRequest,
    _ done: @escaping @Sendable (Result<Connected<ScriptedResource>, PoolConnectError>) -> Void
  ) {
    let (index, step) = state.withLock { state -> (Int, Step) in
      state.pending.append(Pending(request: request, done: done))
      return (state.pending.count - 1, state.script.isEmpty ? otherwise : state.script.removeFirst())
    }
    switch step {
    case .succeed(let delay, let capacity, let life):
      later(delay, request) { self.succeed(index, capacity: capacity, life: life) }
    case .fail(let failure, let delay):
      later(delay, request) { done(.failure(PoolConnectError(failure, label: "scripted"))) }
    case .hang:
      break
    case .succeedTwice:
      succeed(index, capacity: 1, life: [])
      succeed(index, capacity: 1, life: [])
    }
  }

  /// Answers connect number `index` now, once more if it was answered before. Call it on the resource's loop.
  public func answer(_ index: Int, with result: Result<Int, PoolConnectError> = .success(1)) {
    switch result {
    case .success(let capacity): succeed(index, capacity: capacity, life: [])
    case .failure(let error): state.withLock { $0.pending[index] }.done(.failure(error))
    }
  }

  private func succeed(_ index: Int, capacity: Int, life: [ScriptedResource.LifeEvent]) {
    let (pending, resource) = state.withLock { state -> (Pending, ScriptedResource) in
      let pending = state.pending[index]
      let resource = ScriptedResource(number: state.resources.count, request: pending.request)
      state.resources.append(resource)
      return (pending, resource)
    }
    pending.done(.success(Connected(resource: resource, capacity: capacity)))
    resource.live(life)
  }

  private func later(_ delay: Interval, _ request: ConnectRequest, _ body: @escaping @Sendable () -> Void) {
    if delay == .zero {
      body()
    } else {
      request.eventLoop.scheduleTask(in: .nanoseconds(delay.nanoseconds), body)
    }
  }
}
