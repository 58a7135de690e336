import SluicePolicy

/// Who waits behind which ticket. Part of the monitor: reached only under the pool's lock.
///
/// As bounded as the machine's queue: an entry comes with a ticket and goes with its grant, refusal or cancellation.
struct TicketTable: Sendable {
  struct Entry: Sendable {
    let generation: UInt32
    let recipient: Recipient
  }

  private var entries: [Entry?] = []

  mutating func insert(_ recipient: Recipient, for ticket: TicketID) {
    let index = Int(ticket.index)
    while entries.count <= index { entries.append(nil) }
    entries[index] = Entry(generation: ticket.generation, recipient: recipient)
  }

  mutating func remove(_ ticket: TicketID) -> Recipient? {
    let index = Int(ticket.index)
    guard index < entries.count, let entry = entries[index], entry.generation == ticket.generation else { return nil }
    entries[index] = nil
    return entry.recipient
  }
}

/// Somebody who is owed an answer, and where it has to be given.
struct Recipient: Sendable {
  let holder: any PoolTicketHolder
  /// The loop the answer is given on; nil when any thread will do.
  let loop: LoopID?
}

/// An answer on its way.
struct Delivery: Sendable {
  enum Answer: Sendable {
    case granted(PoolHandover)
    case rejected(PoolRejection)
  }

  let holder: any PoolTicketHolder
  let answer: Answer

  func deliver() {
    switch answer {
    case .granted(let handover): holder.receive(handover)
    case .rejected(let rejection): holder.rejected(rejection)
    }
  }
}
