import SluiceRuntime

/// The process-wide bound on request bodies kept in memory.
///
/// Each event loop takes bytes from this account in large steps and lends them to its requests without a lock, so the
/// lock is touched about once per `step` bytes. What the loops hold together never exceeds the bound.
package final class BufferAccount: Sendable {
  package static let step = 1 << 20

  private let remaining: Guarded<Int>

  package init(bytes: Int) {
    remaining = Guarded(bytes)
  }

  /// Takes at least `needed` bytes, more if there are; 0 when there are not that many.
  package func withdraw(_ needed: Int) -> Int {
    remaining.withLock { remaining in
      guard remaining >= needed else { return 0 }
      let taken = min(remaining, max(needed, Self.step))
      remaining -= taken
      return taken
    }
  }

  package func deposit(_ bytes: Int) {
    remaining.withLock { $0 += bytes }
  }

  /// Bytes that no loop holds.
  package var balance: Int { remaining.value }
}

/// One event loop's share of the account.
package struct BufferPurse {
  private let account: BufferAccount
  private var spare = 0
  /// Bytes lent to requests of this loop.
  package private(set) var lent = 0

  package init(account: BufferAccount) {
    self.account = account
  }

  /// False when the process holds too much already.
  package mutating func reserve(_ bytes: Int) -> Bool {
    if spare < bytes { spare += account.withdraw(bytes - spare) }
    guard spare >= bytes else { return false }
    spare -= bytes
    lent += bytes
    return true
  }

  package mutating func refund(_ bytes: Int) {
    lent -= bytes
    spare += bytes
    guard spare > 2 * BufferAccount.step else { return }
    account.deposit(spare - BufferAccount.step)
    spare = BufferAccount.step
  }
}
