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
    let key = StoredResponses.key(wanted ?? "")
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
    guard operation.mayContinueResponse,
      let previous = request.body.withUnsafeReadableBytes({ StoredResponseReader.previous($0) })
    else { return start(request, fields, route) }
    // Translation has nothing to go on from.
    let targets = route.ordered(random: loop.nextRandom()).filter { $0.pool.dialect.speaks(operation) }
    guard let place = place(of: StoredResponses.key(previous), in: targets.map(\.pool)),
      let target = targets.first(where: { $0.pool === place.pool })
    else { return refuse(request, GatewayError(.unknownStoredResponse, param: "previous_response_id")) }
    request.pinned = place.endpoint
    start(request, fields, ModelRoute(model: route.model, only: target))
  }

  /// Who has the response: the account it was seen from, or the only one there is.
  private func place(of key: UInt64, in pools: [GatewayPool]) -> StoredPlace? {
    if let account = loop.stored.withLock({ $0[key] }) {
      for pool in pools {
        if let endpoint = pool.endpoint(account: account) { return StoredPlace(pool: pool, endpoint: endpoint) }
      }
    }
    guard let pool = pools.first, let only = pool.allEndpoints.first,
      pools.allSatisfy({ $0.allEndpoints.allSatisfy { $0.account == only.account } })
    else { return nil }
    return StoredPlace(pool: pool, endpoint: only.id)
  }
}
