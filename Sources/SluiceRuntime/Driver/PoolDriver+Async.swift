public import SluicePolicy

extension PoolDriver {
  /// Borrows a resource; waits for it only when none is free.
  ///
  /// - Parameters:
  ///   - priority: how urgent it is.
  ///   - timeout: how long waiting makes sense.
  ///   - options: the finer points.
  /// - Throws: ``PoolError``; a cancelled task gets ``PoolError/Code/cancelled`` and holds nothing.
  public func lease(
    class priority: PriorityClass = .normal, timeout: Interval = .seconds(30), options: LeaseOptions = LeaseOptions()
  ) async throws(PoolError) -> Lease<Resource> {
    let request = core.request(class: priority, timeout: timeout, options: options)
    return Lease(try await core.lease(request, fallback: options.fallback))
  }

  /// Borrows a resource for the duration of `body`.
  ///
  /// When `body` throws, the resource is closed, because nobody knows how far it got; an error that conforms to
  /// ``ExchangeFailure`` says so itself.
  ///
  /// - Parameters:
  ///   - priority: how urgent it is.
  ///   - timeout: how long waiting for a resource makes sense. `body` itself may take as long as it likes.
  ///   - options: the finer points.
  ///   - body: uses the resource and does not keep it.
  /// - Returns: what `body` returned.
  /// - Throws: ``PoolError``, or what `body` threw.
  public func withLease<Result>(
    class priority: PriorityClass = .normal, timeout: Interval = .seconds(30), options: LeaseOptions = LeaseOptions(),
    _ body: (Resource) async throws -> Result
  ) async throws -> Result {
    let lease = try await lease(class: priority, timeout: timeout, options: options)
    let started = core.clock.now()
    do {
      let result = try await body(lease.resource)
      lease.release(ExchangeReport(result: .success, total: core.clock.now() - started))
      return result
    } catch {
      lease.release(.failure(error, total: core.clock.now() - started))
      throw error
    }
  }
}

/// An error that knows what it means for the pool.
public protocol ExchangeFailure: Error {
  /// What kind of failure it was, and so whom it counts against.
  var failureClass: FailureClass { get }
  /// Whether the resource can be used again.
  var resourceIsReusable: Bool { get }
}

extension ExchangeReport {
  static func failure(_ error: any Error, total: Interval) -> ExchangeReport {
    if let known = error as? any ExchangeFailure {
      let fate = known.resourceIsReusable ? ResourceFate.reusable : .close(.broken)
      return ExchangeReport(result: .failed(known.failureClass), fate: fate, total: total)
    }
    if error is CancellationError {
      return ExchangeReport(result: .cancelled, fate: .close(.cancelled), total: total)
    }
    // An error of the caller's own says nothing against the endpoint.
    return ExchangeReport(result: .failed(.caller), fate: .close(.broken), total: total)
  }
}
