import SluicePolicy

/// Who has a slot to give, or could get one, as the facts tell of it.
struct RoomBook {
  private(set) var resources = ResourceBook()
  private(set) var endpoints = EndpointBook()
  private(set) var limits = ConnectionSettings()
  /// Origins whose last connect failed.
  private var failing: Set<OriginID> = []
  private var jumpedAt = Instant.distantPast

  mutating func observe(_ fact: Fact, at now: Instant) {
    resources.observe(fact, at: now)
    endpoints.observe(fact)
    switch fact {
    case .configured(let settings, _): limits = settings.connections
    case .clockJumped: jumpedAt = now
    case .emitted(.connectFailed(let origin, _, _)): failing.insert(origin)
    case .emitted(.resourceOpened(_, let origin, _)): failing.remove(origin)
    default: break
    }
  }

  /// None of these has anything to lend, not even something to be verified first, and nothing more may be opened for them.
  func isFull(_ members: [EndpointID], _ now: Instant) -> Bool {
    let youngest = youngest(now)
    return members.allSatisfy { endpoint in
      guard let origin = endpoints.origins[endpoint], !isSaturated(endpoint) else { return true }
      let hasRoom = resources.entries.values.contains {
        $0.origin == origin && $0.hasRoom && ($0.leased == 0 || $0.openedAt > youngest)
      }
      return !hasRoom && !mayOpen(origin)
    }
  }

  /// From this age on a resource may have been given up while something of it is still lent.
  private func youngest(_ now: Instant) -> Instant { now - limits.maxAge.scaled(by: 1 - limits.jitter) }

  /// A slot that could be lent for it this moment.
  func hasSlot(_ endpoint: EndpointID, _ now: Instant) -> Bool {
    guard let origin = endpoints.origins[endpoint], !isSaturated(endpoint) else { return false }
    let trustedSince = max(now - limits.verifyAfter, jumpedAt)
    let youngest = youngest(now)
    return resources.entries.values.contains {
      $0.origin == origin && $0.hasRoom && $0.openedAt > youngest
        && ($0.leased > 0 || $0.trustedAt >= trustedSince)
    }
  }

  /// One more may be opened for it.
  func mayOpen(for endpoint: EndpointID) -> Bool {
    guard let origin = endpoints.origins[endpoint], !isSaturated(endpoint) else { return false }
    return mayOpen(origin)
  }

  /// Something of these origins is being opened, verified or closed.
  func isUnderWay(_ origins: Set<OriginID>) -> Bool {
    resources.entries.values.contains {
      origins.contains($0.origin) && (!$0.isOpen || $0.isUncertain || ($0.isLeaving && $0.leased == 0))
    }
  }

  private func mayOpen(_ origin: OriginID) -> Bool {
    !failing.contains(origin) && resources.entries.count < limits.poolMax
      && resources.entries.values.count { $0.origin == origin } < limits.max
  }

  private func isSaturated(_ endpoint: EndpointID) -> Bool {
    endpoints.leased[endpoint, default: 0] >= endpoints.settings[endpoint]?.maxConcurrent ?? .max
  }
}

extension ResourceBook.Entry {
  fileprivate var hasRoom: Bool { isUsable && !isUncertain && leased < capacity }
}
