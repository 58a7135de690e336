/// A bounded queue from any thread to one asynchronous consumer: to the store, to exporters, to event feeds.
///
/// A producer never waits. When the mailbox is full the message that loses is dropped and counted, so a slow consumer
/// costs messages and never memory. Order is kept. One consumer at a time: a second one that waits meanwhile is told
/// the end at once.
package final class BoundedMailbox<Message: Sendable>: Sendable {
  /// Which message loses when the mailbox is full.
  package enum Overflow: Sendable {
    case dropNewest
    case dropOldest
  }

  fileprivate struct State: Sendable {
    var ring: [Message?] = []
    var head = 0
    var count = 0
    var dropped: UInt64 = 0
    var closed = false
    var consumer: CheckedContinuation<Message?, Never>?
  }

  package let capacity: Int
  private let overflow: Overflow
  private let state: Lock<State>

  package init(capacity: Int, overflow: Overflow = .dropNewest) {
    precondition(capacity > 0, "a mailbox holds at least one message")
    self.capacity = capacity
    self.overflow = overflow
    state = Lock(State())
  }

  /// Messages lost so far because the mailbox was full or closed.
  package var dropped: UInt64 {
    state.withLock { $0.dropped }
  }

  package var count: Int {
    state.withLock { $0.count }
  }

  /// Puts a message in; false when a message was lost over it.
  @discardableResult
  package func send(_ message: Message) -> Bool {
    let (kept, consumer) = state.withLock { state -> (Bool, CheckedContinuation<Message?, Never>?) in
      if state.closed {
        state.dropped += 1
        return (false, nil)
      }
      if let consumer = state.consumer {
        state.consumer = nil
        return (true, consumer)
      }
      return (state.append(message, capacity: capacity, overflow: overflow), nil)
    }
    consumer?.resume(returning: message)
    return kept
  }

  /// Refuses further messages. What is inside can still be read; after it the consumer sees the end.
  package func close() {
    let consumer = state.withLock { state -> CheckedContinuation<Message?, Never>? in
      state.closed = true
      return state.takeConsumer()
    }
    consumer?.resume(returning: nil)
  }

  /// The next message; nil at the end (closed and empty, or this task cancelled).
  package func next() async -> Message? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        // Looked up here rather than before: a cancellation that came first must not leave a consumer waiting.
        let cancelled = Task.isCancelled
        let (answer, waits) = state.withLock { state -> (Message?, Bool) in
          if cancelled { return (nil, false) }
          if let message = state.popFirst() { return (message, false) }
          if state.closed || state.consumer != nil { return (nil, false) }
          state.consumer = continuation
          return (nil, true)
        }
        if !waits { continuation.resume(returning: answer) }
      }
    } onCancel: {
      let consumer = state.withLock { $0.takeConsumer() }
      consumer?.resume(returning: nil)
    }
  }

  /// Up to `limit` messages that are there now, without waiting.
  package func takeAvailable(limit: Int) -> [Message] {
    state.withLock { state in
      var taken: [Message] = []
      taken.reserveCapacity(min(limit, state.count))
      while taken.count < limit, let message = state.popFirst() { taken.append(message) }
      return taken
    }
  }
}

extension BoundedMailbox.State {
  fileprivate mutating func append(
    _ message: Message, capacity: Int, overflow: BoundedMailbox<Message>.Overflow
  ) -> Bool {
    if count == capacity {
      dropped += 1
      guard overflow == .dropOldest else { return false }
      ring[head] = message
      head = (head + 1) % ring.count
      return false
    }
    if count == ring.count { grow(capacity: capacity) }
    ring[(head + count) % ring.count] = message
    count += 1
    return true
  }

  fileprivate mutating func popFirst() -> Message? {
    guard count > 0 else { return nil }
    let message = ring[head]
    ring[head] = nil
    head = (head + 1) % ring.count
    count -= 1
    return message
  }

  fileprivate mutating func takeConsumer() -> CheckedContinuation<Message?, Never>? {
    let consumer = consumer
    self.consumer = nil
    return consumer
  }

  /// Doubles the ring up to the capacity, oldest message first.
  private mutating func grow(capacity: Int) {
    let size = min(capacity, max(16, ring.count * 2))
    var larger: [Message?] = []
    larger.reserveCapacity(size)
    for offset in 0..<count { larger.append(ring[(head + offset) % ring.count]) }
    larger.append(contentsOf: repeatElement(nil, count: size - count))
    ring = larger
    head = 0
  }
}
