import SluicePolicy

/// What the world has still to do: the machine's wishes on their way, and things that happen by themselves.
enum WorldEvent {
  case arrival
  case perform(PoolAction)
  case timer
  case connectEnds(ResourceID, ConnectEnd)
  case verifyEnds(ResourceID)
  case probeEnds(EndpointID)
  case heartbeatEnds(ResourceID, EndpointID, HeartbeatScope)
  case exchangeEnds(CallID)
  case giveUp(CallID)
  case remoteCloses(ResourceID)
  case goAway(ResourceID)
  case capacityChanges(ResourceID)
  case reportClosed(ResourceID)
  /// An event that the machine had already is told again.
  case again(Echo)
  case trouble
  case administration
  case resume
  case lookAround
  case faultsStop
  case loadStops
  case settle
  case finish
  case end
}

enum ConnectEnd {
  case opened
  case failed(FailureClass)
}

/// Something told twice.
enum Echo {
  case connectSucceeded(ResourceID, capacity: Int)
  case connectFailed(ResourceID)
  case released(LeaseID)
  case cancelled(TicketID)
  case probeFinished(EndpointID)
}

/// The remote side of one resource: the truth that the machine cannot see.
struct SimulatedResource {
  enum State { case opening, open, closed }

  var id: ResourceID
  var origin: OriginID
  var state = State.opening
  /// Accepts everything and answers nothing.
  var isDead = false
  var capacity: Int
  /// Who uses it, in the order in which they began.
  var holders: [CallID] = []
  var lastUse: Instant
  /// Last packet on the way; what forgets silent flows counts from here.
  var lastPacket: Instant
  var closeReported = false
  /// The machine wants it closed.
  var closeAsked = false
  /// It was told to close, but opened at that very moment, and waits to be told again.
  var openedLate = false

  var leases: Int { holders.count }
}

/// One call: from its wish to its end.
struct SimulatedCall {
  enum State {
    case waiting(TicketID)
    case holding(LeaseID, Grant)
    case abandoned(TicketID)
    case ended
  }

  var state = State.ended
}
