import SluiceDialects
import SluiceGateway
import SluiceHTTP
import SluicePolicy
import Testing

// Settings with which nothing runs out while a busy machine is slow; a test shortens the one clock that it is about.

extension ExchangeSettings {
  static func unhurried(
    attempts: Int = 3, firstByte: Interval? = nil, firstToken: Interval? = nil, betweenBytes: Interval? = nil,
    acquire: Interval = .hours(1)
  ) -> ExchangeSettings {
    ExchangeSettings(
      attempts: attempts, firstByte: firstByte, firstToken: firstToken, betweenBytes: betweenBytes, total: .hours(2),
      acquire: acquire, backoffBase: .milliseconds(1), backoffCeiling: .milliseconds(2))
  }
}

extension GatewayLimits {
  static var unhurried: GatewayLimits {
    var limits = GatewayLimits()
    limits.headTimeout = .hours(1)
    limits.bodyTimeout = .hours(1)
    limits.minBodyRate = 0
    limits.idleTimeout = .hours(1)
    limits.lingerTimeout = .hours(1)
    limits.adminTimeout = .hours(1)
    limits.keepaliveComment = nil
    return limits
  }
}

extension ConnectionSettings {
  mutating func unhurry() {
    connectTimeout = .hours(1)
    verifyAfter = .hours(1)
    verifyTimeout = .hours(1)
    idleTimeout = .hours(1)
  }
}

extension HTTPConnectionOptions {
  static var unhurried: HTTPConnectionOptions {
    var options = HTTPConnectionOptions()
    options.staleAfter = .hours(1)
    options.userTimeout = .hours(1)
    return options
  }
}

extension Trait where Self == TimeLimitTrait {
  /// Ends a test that waits for something that never comes. No test takes a hundredth of this, however busy the machine.
  static var mustEnd: Self { .timeLimit(.minutes(10)) }
}
