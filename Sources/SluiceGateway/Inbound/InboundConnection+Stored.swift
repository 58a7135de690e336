import NIOCore
import SluiceDialects
import SluicePolicy
import SluiceRuntime

/// Requests that only the account can answer which stored an earlier response.
extension InboundConnection {
  private struct StoredPlace {
    var pool: GatewayPool
    var endpoint: EndpointID
  }

  /// A request about a stored response, which names no model.
  func dispatchStored(_ request: consuming InboundRequest) {
    let path = request.head.path.range
    let wanted = request.match.identifier.map { range in
      request.bytes.withUnsafeReadableBytes { PercentDecoding.decode(ByteSlice($0)[path][range]) }
    }
    let key = StoredResponses.key(wanted ?? "", owner: configuration.access.owner(request.caller.key))
    let operation = request.match.operation
    guard let place = place(of: key, in: loop.configuration.pools.filter { $0.dialect.speaks(operation) }) else {
      return refuse(request, GatewayError(.unknownStoredResponse))
    }
    request.stored = key
    request.pinned = place.endpoint
    let target = ResolvedTarget(
      pool: place.pool, upstreamModel: nil, slot: loop.metrics.slot(ofPool: place.pool.name))
    start(request, nil, ModelRoute(model: "", only: target))
  }

  /// A request that may go on from an earlier response: then along its route only to the account that has that one.
  func startWherePreviousIs(_ request: consuming InboundRequest, _ fields: RequestFields, _ route: ModelRoute) {
    let operation = request.match.operation
    guard operation.mayContinueResponse else { return start(request, fields, route) }
    let previous: String
    switch request.body.withUnsafeReadableBytes({ StoredResponseReader.previous($0) }) {
    case .none: return start(request, fields, route)
    case .unreadable:
      guard configuration.access.hasSeveralCallers else { return start(request, fields, route) }
      return refuse(request, GatewayError(.invalidJSON))
    case .several: return refuse(request, GatewayError(.duplicateField, param: "previous_response_id"))
    case .response(let id): previous = id
    }
    // Translation has nothing to go on from.
    let targets = route.ordered(random: loop.nextRandom()).filter { $0.pool.dialect.speaks(operation) }
    let key = StoredResponses.key(previous, owner: configuration.access.owner(request.caller.key))
    guard let place = place(of: key, in: targets.map(\.pool)),
      let target = targets.first(where: { $0.pool === place.pool })
    else { return refuse(request, GatewayError(.unknownStoredResponse, param: "previous_response_id")) }
    request.pinned = place.endpoint
    start(request, fields, ModelRoute(model: route.model, only: target))
  }

  /// The provider's own paths reach stored responses as well: where callers are told apart, only their own. What could
  /// be read in another way by the provider than here is refused.
  func reachesOthersResponses(_ request: borrowing InboundRequest) -> GatewayError? {
    guard configuration.access.hasSeveralCallers else { return nil }
    let owner = configuration.access.owner(request.caller.key)
    func isOwn(_ id: String) -> Bool { loop.stored.withLock { $0[StoredResponses.key(id, owner: owner)] } != nil }
    let path = request.head.path.range
    let provider = request.match.providerPath ?? 0
    let place = request.bytes.withUnsafeReadableBytes { bytes in
      StoredResponseReader.place(inPath: ByteSlice(bytes)[path].suffix(from: provider))
    }
    switch place {
    case .ambiguous:
      return GatewayError(.malformedRequest, message: "Paths with `..` are not passed on.")
    case .response(let id) where !isOwn(id): return GatewayError(.unknownStoredResponse)
    case .elsewhere, .responses, .response: break
    }
    guard request.body.readableBytes > 0 else { return nil }
    switch request.body.withUnsafeReadableBytes({ StoredResponseReader.previous($0) }) {
    case .none: return nil
    case .unreadable: return place == .elsewhere ? nil : GatewayError(.invalidJSON)
    case .several: return GatewayError(.duplicateField, param: "previous_response_id")
    case .response(let id): return isOwn(id) ? nil : GatewayError(.unknownStoredResponse)
    }
  }

  /// Who has the response: the account it was seen from, or the only one there is. Where callers are told apart, what is
  /// not known may be another caller's.
  private func place(of key: UInt64, in pools: [GatewayPool]) -> StoredPlace? {
    if let account = loop.stored.withLock({ $0[key] }) {
      for pool in pools {
        if let endpoint = pool.endpoint(account: account) { return StoredPlace(pool: pool, endpoint: endpoint) }
      }
    }
    guard !configuration.access.hasSeveralCallers, let pool = pools.first, let only = pool.allEndpoints.first,
      pools.allSatisfy({ $0.allEndpoints.allSatisfy { $0.account == only.account } })
    else { return nil }
    return StoredPlace(pool: pool, endpoint: only.id)
  }
}
