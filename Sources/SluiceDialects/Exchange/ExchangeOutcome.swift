package import SluicePolicy

/// How an exchange ended, for metrics and the request log.
package enum ExchangeOutcome: Hashable, Sendable {
  case success
  case failed(FailureClass, GatewayErrorCode)
  /// The client went away.
  case cancelled
}

/// What an exchange cost in tries.
package struct ExchangeCounters: Hashable, Sendable {
  /// Everything sent upstream: `x-sluice-attempts`.
  package var sent = 0
  /// Paid tries after the first one of each pool.
  package var retries = 0
  /// Sent again because a reused connection was dead.
  package var replays = 0
  /// Sent again because the upstream had not looked at it.
  package var refusals = 0
  /// Sent again because credentials or clock of the signature were out of date and have been put right.
  package var mends = 0
  /// Moved on to another key because one was limited or rejected.
  package var walks = 0
  /// Moved on along the route.
  package var spills = 0
  /// Retries that were due but that the budget refused.
  package var budgetRefusals = 0

  package init() {}
}
