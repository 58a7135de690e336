import SluicePolicy

/// Who wishes and who waits, as the facts tell of it.
struct TicketBook {
  struct Waiting {
    var request: AcquireRequest
    var since: Instant
  }

  private(set) var waiting: [TicketID: Waiting] = [:]
  /// The wish that is being decided.
  private(set) var wish: AcquireRequest?
  /// The ticket that just left, until the next fact.
  private(set) var left: Waiting?

  mutating func observe(_ fact: Fact, at now: Instant) {
    left = nil
    switch fact {
    case .wished(_, let request): wish = request
    case .queued(_, let ticket): waiting[ticket] = wish.map { Waiting(request: $0, since: now) }
    case .grantedLater(let ticket, _), .refusedLater(let ticket, _), .cancelled(let ticket, accepted: true):
      left = waiting.removeValue(forKey: ticket)
    default: break
    }
  }
}

extension AcquireRequest {
  /// Any slot will do.
  var takesAnySlot: Bool { pinned == nil && excluding.isEmpty && !freshOnly }
}
