extension PoolMachine {
  /// Adopts other settings. Origins and endpoints are recognised by identity and keep their handles, resources and
  /// history; removed ones drain. Settings that are not valid change nothing.
  public mutating func reconfigure(
    _ new: PoolSettings, now: Instant, into actions: inout ActionList
  ) -> PoolLayout {
    guard mode != .closed, new.problems().isEmpty, hasPlaces(for: new) else {
      actions.append(.emit(.reconfigurationRefused))
      return layout
    }
    adopt(new, now, &actions)
    journal.record(.reconfigured, now)
    actions.append(.emit(.reconfigured))
    needsReview = true
    applyLimits(now, &actions)
    return layout
  }

  /// Handles are places in tables of fixed size, and what drains still holds its own. Endpoints that go and of which
  /// nothing is lent make room before the new ones come; origins give their places up only afterwards.
  private func hasPlaces(for new: PoolSettings) -> Bool {
    let newOrigins = new.origins.count { origins.position(identity: $0.identity) == nil }
    var kept = EndpointSet()
    var newEndpoints = 0
    for endpoint in new.endpoints {
      if let match = matching(endpoint, in: new) { kept.insert(position: match) } else { newEndpoints += 1 }
    }
    let freed = endpoints.positions.count { !kept.contains(position: $0) && endpoints[$0].leased == 0 }
    return newOrigins <= origins.freePositions && newEndpoints <= endpoints.freePositions + freed
  }

  /// The endpoint that goes on under these settings: same identity, same origin.
  private func matching(_ endpoint: EndpointSettings, in new: PoolSettings) -> Int? {
    guard let position = endpoints.position(identity: endpoint.identity) else { return nil }
    let origin = origins.position(identity: new.origins[endpoint.origin].identity)
    return Int(endpoints[position].origin) == origin ? position : nil
  }

  mutating func adopt(_ new: PoolSettings, _ now: Instant, _ actions: inout ActionList) {
    settings = new
    queue.configure(new.queue)
    balancer.strategy = new.balance.strategy
    balancer.slowStart = new.health.slowStart
    journal.resize(new.journalEntries)
    let keptOrigins = adoptOrigins(new)
    adoptEndpoints(new, now, &actions)
    for origin in origins.positions where !keptOrigins.contains(position: origin) && !origins[origin].isRemoved {
      removeOrigin(origin, now, &actions)
    }
    adoptRegions(new)
    for position in endpoints.positions { refreshRank(position) }
    for origin in origins.positions { plan(origin, now, &actions) }
    spreadHeartbeats(now)
  }

  private mutating func adoptOrigins(_ new: PoolSettings) -> EndpointSet {
    var kept = EndpointSet()
    layout.origins.removeAll(keepingCapacity: true)
    for origin in new.origins {
      let position: Int
      if let known = origins.position(identity: origin.identity) {
        position = known
        origins.rename(known, origin.name)
      } else {
        position = origins.add(origin)
        slots.ensureOrigin(position)
      }
      kept.insert(position: position)
      layout.origins.append(origins[position].id)
    }
    return kept
  }

  private mutating func adoptEndpoints(_ new: PoolSettings, _ now: Instant, _ actions: inout ActionList) {
    var kept = EndpointSet()
    let matches = new.endpoints.map { matching($0, in: new) }
    for match in matches {
      if let match { kept.insert(position: match) }
    }
    for position in endpoints.positions where !kept.contains(position: position) {
      removeEndpoint(position, now, &actions)
    }
    layout.endpoints.removeAll(keepingCapacity: true)
    for (endpoint, match) in zip(new.endpoints, matches) {
      let position: Int
      if let match {
        position = match
        endpoints.update(match, endpoint)
        // A reload is the owner's word that the credential is to be tried again.
        endpoints[match].rejectedBy = nil
      } else {
        position = endpoints.add(endpoint, origin: layout.origins[endpoint.origin].position)
      }
      layout.endpoints.append(endpoints[position].id)
    }
  }

  private mutating func removeEndpoint(_ position: Int, _ now: Instant, _ actions: inout ActionList) {
    guard !endpoints[position].isRemoved else { return }
    endpoints[position].isRemoved = true
    endpoints[position].isProbing = false
    deadlines.cancel(&endpoints[position].coolToken)
    deadlines.cancel(&endpoints[position].healthToken)
    refreshRank(position)
    journal.record(.endpointRemoved, now, place: position)
    actions.append(.emit(.endpointRemoved(endpoints[position].id)))
    finishRemoval(position, now, &actions)
  }

  /// A removed endpoint is forgotten with its last lease.
  mutating func finishRemoval(_ position: Int, _ now: Instant, _ actions: inout ActionList) {
    guard endpoints[position].leased == 0 else { return }
    let origin = Int(endpoints[position].origin)
    endpoints.free(position)
    if origins[origin].isRemoved { freeOriginIfUnused(origin) }
  }

  private mutating func removeOrigin(_ origin: Int, _ now: Instant, _ actions: inout ActionList) {
    if origins[origin].isFailing { clearFailures(origin) }
    origins[origin].isRemoved = true
    stopHeartbeats(origin)
    for index in slots.indices where Int(slots[index].origin) == origin && slots[index].state != .free {
      giveUp(index, .drained, now, &actions)
    }
    freeOriginIfUnused(origin)
  }

  mutating func freeOriginIfUnused(_ origin: Int) {
    guard slots.total(origin) == 0 else { return }
    if endpoints.positions.contains(where: { Int(endpoints[$0].origin) == origin }) { return }
    deadlines.cancel(&origins[origin].retryToken)
    deadlines.cancel(&origins[origin].heartbeatToken)
    origins.free(origin)
  }
}
