import SluiceDialects
import Testing

/// When AWS credentials are renewed, in virtual time.
struct CredentialRefreshTests {
  private let start = UnixTime.seconds(1_800_000_000)

  private func key(_ name: String, _ minutes: Int64?) -> AWSCredentials {
    AWSCredentials(keyID: name, secret: "s", expiration: minutes.map { start + $0 * 60_000 })
  }

  private func loaded(_ credentials: AWSCredentials, random: UInt64 = 0) -> CredentialRefresh {
    var refresh = CredentialRefresh(canRenew: true, now: start)
    let isFirst = refresh.startIfDue(start)
    #expect(isFirst && refresh.nextLook == .never)
    refresh.loaded(credentials, start, random: random)
    return refresh
  }

  private func minutes(_ refresh: CredentialRefresh) -> Double {
    Double(refresh.nextLook.milliseconds - start.milliseconds) / 60_000
  }

  @Test func renewalBeginsAQuarterOfAnHourBeforeTheEnd() {
    #expect(minutes(loaded(key("A", 360))) == 345)
    let late = minutes(loaded(key("A", 360), random: .max))
    #expect(late < 345 && late > 343.4, "many gateways do not ask in step")
    #expect(minutes(loaded(key("A", 30))) == 20, "a third of a short life")
    #expect(minutes(loaded(key("A", 3))) == 2)
  }

  @Test func oneLoadAtATime() {
    var refresh = loaded(key("A", 60))
    let due = start + 46 * 60_000
    #expect(refresh.startIfDue(due) == true)
    #expect(refresh.startIfDue(due) == false)
    #expect(refresh.renew(insteadOf: key("A", 60), due) == .underWay)
  }

  @Test func theOldServeToTheirEndAndNotLonger() {
    var refresh = loaded(key("A", 60))
    var now = start + 45 * 60_000
    var pauses: [Int64] = []
    while now < start + 60 * 60_000 {
      #expect(refresh.credentials(now)?.keyID == "A")
      guard refresh.startIfDue(now) else {
        now = refresh.nextLook
        continue
      }
      refresh.failed("nobody answers", now, .max)
      pauses.append(refresh.nextLook.milliseconds - now.milliseconds)
    }
    #expect(refresh.credentials(start + 60 * 60_000) == nil)
    #expect(pauses.first ?? 0 <= 1_000 && pauses.max() ?? 0 <= 60_000)
    #expect(pauses.last ?? .max <= 10_000, "more often when time is short")
    #expect(zip(pauses.prefix(6), pauses.dropFirst()).allSatisfy { $0 < $1 })
    #expect(refresh.problem == "nobody answers")
    #expect(refresh.startIfDue(refresh.nextLook) == true)
    refresh.loaded(key("B", 300), start + 61 * 60_000, random: 0)
    #expect(refresh.credentials(start + 61 * 60_000)?.keyID == "B" && refresh.problem == nil)
  }

  @Test func theSameAgainAreAskedForAgainSoon() {
    var refresh = loaded(key("A", 14))
    let now = refresh.nextLook
    #expect(refresh.startIfDue(now) == true)
    refresh.loaded(key("A", 14), now, random: 0)
    let pause = refresh.nextLook.milliseconds - now.milliseconds
    #expect(pause >= 1_000 && pause <= 60_000)
  }

  @Test func whatIsExpiredOrCannotBeSentIsNoCredential() {
    var refresh = CredentialRefresh(canRenew: true, now: start)
    _ = refresh.startIfDue(start)
    refresh.loaded(key("A", -1), start, random: 0)
    #expect(refresh.credentials(start) == nil && refresh.problem?.contains("expired") == true)
    _ = refresh.startIfDue(refresh.nextLook)
    refresh.loaded(AWSCredentials(keyID: "A", secret: "s", sessionToken: "a\r\nb: c"), start, random: 0)
    #expect(refresh.credentials(start) == nil && refresh.problem?.contains("characters") == true)
    let fixed = CredentialRefresh(AWSCredentials(keyID: "A\n", secret: "s"), canRenew: false, now: start)
    #expect(fixed.credentials(start) == nil && fixed.problem != nil)
  }

  @Test func refusedCredentialsAreRenewedOnceInAWhile() {
    var refresh = loaded(key("A", 60))
    let now = start + 10 * 60_000
    #expect(refresh.renew(insteadOf: key("A", 60), now) == .underWay)
    #expect(refresh.startIfDue(now) == true)
    refresh.loaded(key("B", 120), now, random: 0)
    #expect(refresh.renew(insteadOf: key("A", 60), now) == .replaced, "for those who come later")
    #expect(refresh.renew(insteadOf: key("B", 120), now + 1_000) == .hopeless, "they are new")
    #expect(refresh.renew(insteadOf: key("B", 120), now + 4_000) == .underWay)
  }

  @Test func afterAFailureNotEveryoneAsksAgain() {
    var refresh = CredentialRefresh(canRenew: true, now: start)
    #expect(refresh.renew(insteadOf: nil, start) == .underWay)
    #expect(refresh.startIfDue(start) == true)
    refresh.failed("x", start, 0)
    #expect(refresh.renew(insteadOf: nil, start + 100) == .hopeless)
    #expect(refresh.renew(insteadOf: nil, start + 3_000) == .underWay)
    #expect(refresh.startIfDue(start + 3_000) == true)
  }

  @Test func whatWasWrittenDownIsNeverRenewed() {
    var refresh = CredentialRefresh(key("A", nil), canRenew: false, now: start)
    #expect(refresh.nextLook == .never)
    #expect(refresh.startIfDue(start + 86_400_000) == false)
    #expect(refresh.renew(insteadOf: key("A", nil), start) == .hopeless)
    #expect(refresh.credentials(start)?.keyID == "A")
  }

  @Test func filesAreLookedAtAgain() {
    var refresh = loaded(key("A", nil))
    #expect(refresh.nextLook == start + 10_000)
    #expect(refresh.startIfDue(start + 10_000) == true)
    refresh.loaded(key("B", nil), start + 10_000, random: 0)
    #expect(refresh.credentials(start + 10_000)?.keyID == "B")
  }

  @Test func clocksAtTheEndOfTimeDoNotTrap() {
    #expect(UnixTime.never + 5 == .never)
    var refresh = CredentialRefresh(canRenew: true, now: .seconds(0))
    _ = refresh.startIfDue(.seconds(0))
    refresh.loaded(
      AWSCredentials(keyID: "A", secret: "s", expiration: .seconds(253_402_300_799)), .seconds(0), random: .max)
    #expect(refresh.nextLook < .never)
  }
}
