import Logging
import NIOCore
import SluiceDialects
import SluiceHTTP
import SluicePolicy
import SluiceRuntime

/// An answer whose head has come, and who gave it.
struct OpenedAnswer: Sendable {
  let pool: String
  let dialect: ProviderDialect
  /// The provider's own, which says how its answer is written.
  let operation: Operation
  /// As the provider was asked for it.
  let model: String
  let response: HTTPClientResponse
}

/// One call: tries along its targets until an answer's head is there. A lease for each try, with the credential of the
/// endpoint it granted; the pool hears how each one went.
struct ProviderCall<Work: ProviderWork> {
  let targets: [RouteTarget]
  let pools: [String: ClientPool]
  let work: Work
  let logger: Logger

  /// Throws ``SluiceError`` of the last try that a provider answered, else of the last try; `CancellationError`.
  func open() async throws -> OpenedAnswer {
    var last: SluiceError?
    for target in targets {
      guard let pool = pools[target.pool] else { continue }
      do {
        return try await open(target, pool)
      } catch let error as SluiceError {
        // A provider's own words say more than that the next pool was full.
        if last?.status == nil || error.status != nil { last = error }
        if !error.mayHelpElsewhere { throw error }
      }
    }
    throw last ?? SluiceError(.unknownModel, "no pool for model '\(work.model)'")
  }

  private func open(_ target: RouteTarget, _ pool: ClientPool) async throws -> OpenedAnswer {
    let model = target.upstreamModel ?? work.model
    let written = try work.request(pool.dialect, pool.target(model: model), model: model)
    if !written.dropped.isEmpty {
      logger.debug("pool '\(pool.name)', model '\(model)': \(written.dropped.joined(separator: ", ")) left out")
    }
    let body = ByteBuffer(bytes: written.body)
    let clock = pool.driver.clock
    let deadline = clock.now() + pool.total
    var book = RetryBook(attempts: pool.attempts)
    var answered: SluiceError?
    var isMended = false
    pool.budget.withLock { $0.requestStarted() }
    while true {
      let failure: CallFailure
      do {
        let response = try await attempt(pool, written.call, body, book, deadline)
        return OpenedAnswer(
          pool: pool.name, dialect: pool.dialect, operation: written.call.operation, model: model, response: response)
      } catch let known as CallFailure {
        failure = known
      }
      if !isMended, failure.isMendable {
        isMended = true
        if await pool.mend(failure) { continue }
      }
      let error = SluiceError(failure, pool: pool.name, model: work.model)
      if error.status != nil || answered == nil { answered = error }
      let now = clock.now()
      let step = book.next(
        after: failure.facts, now: now, deadline: deadline, random: .random(in: .min ... .max)
      ) { pool.budget.withLock { $0.withdraw(now: now) } }
      guard case .again(let wait) = step else { throw answered ?? error }
      if wait > .zero { try await Task.sleep(for: wait.duration) }
    }
  }

  private func attempt(
    _ pool: ClientPool, _ call: UpstreamCall, _ body: ByteBuffer, _ book: RetryBook, _ deadline: Instant
  ) async throws -> HTTPClientResponse {
    var options = LeaseOptions()
    options.excluding = book.excluding
    options.freshOnly = book.freshOnly
    var timeouts = pool.timeouts(work.streams)
    let exchange: LeasedExchange
    do {
      let left = max(.zero, deadline - pool.driver.clock.now())
      exchange = LeasedExchange(try await pool.driver.lease(timeout: min(.seconds(60), left), options: options))
    } catch {
      if error.code == .cancelled { throw CancellationError() }
      throw CallFailure.pool(error)
    }
    let endpoint = exchange.grant.endpoint
    let identity = pool.signer(endpoint).flatMap { $0.signer.identity($0.host, now: WallTime.now()) }
    if identity == nil, let (signer, _) = pool.signer(endpoint) {
      exchange.giveBack()
      throw CallFailure.unsigned(signer, endpoint)
    }
    guard let request = pool.request(call, body: body, for: endpoint, as: identity) else {
      preconditionFailure("the pool granted an endpoint that it was not configured with")
    }
    timeouts.total = max(.milliseconds(1), deadline - pool.driver.clock.now())
    do {
      let signer = pool.signer(endpoint)?.signer
      let judge = judge(pool.dialect, signer, identity)
      let answer = try await exchange.send(request, timeouts: timeouts, judge: judge)
      if let identity { signer?.desk.accepted(identity.credentials) }
      return answer
    } catch let refused as HTTPRefusedAnswer {
      throw CallFailure.answer(refused.failure, endpoint, identity)
    } catch let error as HTTPClientError {
      throw CallFailure.transport(error, endpoint)
    }
  }

  private func judge(
    _ dialect: ProviderDialect, _ signer: RequestSigner?, _ identity: SigningIdentity?
  ) -> HTTPRefusal.Judge {
    { status, headers, body in
      let now = WallTime.now()
      return dialect.classify(status: status, headers: headers, body: body, now: now).settled(
        with: signer, as: identity)
    }
  }
}

/// How a try failed.
enum CallFailure: Error {
  case pool(PoolError)
  /// With what it was signed, where that was done.
  case answer(ProviderFailure, EndpointID, SigningIdentity?)
  /// There was nothing to sign with.
  case unsigned(RequestSigner, EndpointID)
  case transport(HTTPClientError, EndpointID)

  var facts: RetryBook.Failure {
    switch self {
    case .pool(let error):
      let reason = error.rejection?.reason
      let isOut = reason == .noEndpoint || reason == .limited || reason == .notAllowed || reason == .credential
      // The pool waited as long as it made sense; only what was left out can be reconsidered.
      var facts = RetryBook.Failure(.cancelled, retryAfter: error.rejection?.retryAfter)
      facts.noEndpoint = isOut
      return facts
    case .unsigned(_, let endpoint): return RetryBook.Failure(.credential, endpoint: endpoint)
    case .answer(let failure, let endpoint, _):
      var facts = RetryBook.Failure(failure.failureClass, endpoint: endpoint, retryAfter: failure.retryAfter)
      facts.shouldRetry = failure.shouldRetry
      return facts
    case .transport(let error, let endpoint):
      var facts = RetryBook.Failure(error.failureClass, endpoint: endpoint)
      if case .upstream(let failure) = error {
        facts.replaySafe = failure.replaySafe
        facts.isRefused = failure.isRefused
      }
      return facts
    }
  }
}
