import Sluice
import SluicePolicy
import Testing

struct RetryBookTests {
  private let a = EndpointID(rawValue: 1)
  private let b = EndpointID(rawValue: 2)
  private let now = Instant(nanoseconds: 0)
  private let deadline = Instant(nanoseconds: 0) + .seconds(60)

  private func step(
    _ book: inout RetryBook, _ failure: RetryBook.Failure, pays: Bool = true, random: UInt64 = .max
  ) -> RetryBook.Step {
    book.next(after: failure, now: now, deadline: deadline, random: random) { pays }
  }

  @Test func replayIsFreeAndHappensOnce() {
    var book = RetryBook(attempts: 1)
    var failure = RetryBook.Failure(.network, endpoint: a)
    failure.replaySafe = true
    #expect(step(&book, failure, pays: false) == .again(after: .zero))
    #expect(book.freshOnly && book.tries == 1)
    #expect(step(&book, failure) == .giveUp)
  }

  @Test func refusalsAreFreeAndEnd() {
    var book = RetryBook(attempts: 1)
    var failure = RetryBook.Failure(.network, endpoint: a)
    failure.isRefused = true
    for _ in 0..<RetryBook.maxRefusals { #expect(step(&book, failure, pays: false) == .again(after: .zero)) }
    #expect(!book.freshOnly && book.tries == 1 && book.excluding.isEmpty)
    #expect(step(&book, failure) == .giveUp)
  }

  @Test(arguments: FailureClass.allCases) func triesEndForEveryClass(failureClass: FailureClass) {
    var book = RetryBook(attempts: 3)
    var steps = 0
    while case .again = step(&book, .init(failureClass, endpoint: a)) {
      steps += 1
      if steps > 10 { break }
    }
    #expect(steps <= 2)
    #expect(failureClass.retry != .never || steps == 0)
  }

  @Test func backoffIsBoundedAndDoubles() {
    var book = RetryBook(attempts: 20)
    var longest = Interval.zero
    while case .again(let wait) = step(&book, .init(.server, endpoint: a)) {
      #expect(wait <= RetryBook.backoffCeiling)
      #expect(wait >= longest)
      longest = wait
    }
    #expect(longest > .seconds(7))
    #expect(book.tries == 20)
  }

  @Test func hintIsObeyedUnlessItIsPastTheDeadline() {
    var book = RetryBook(attempts: 3)
    #expect(step(&book, .init(.overloaded, endpoint: a, retryAfter: .seconds(9))) == .again(after: .seconds(9)))
    #expect(step(&book, .init(.overloaded, endpoint: a, retryAfter: .seconds(61))) == .giveUp)
  }

  @Test func emptyBudgetEndsIt() {
    var book = RetryBook(attempts: 3)
    #expect(step(&book, .init(.server, endpoint: a), pays: false) == .giveUp)
    #expect(book.tries == 1)
  }

  @Test func providersNoIsFinal() {
    var book = RetryBook(attempts: 3)
    var failure = RetryBook.Failure(.server, endpoint: a)
    failure.shouldRetry = false
    #expect(step(&book, failure) == .giveUp)
  }

  @Test func walksLeaveOutEveryLimitedKeyThenWaitForTheFirst() {
    var book = RetryBook(attempts: 2)
    #expect(step(&book, .init(.rateLimited, endpoint: a, retryAfter: .seconds(20))) == .again(after: .zero))
    #expect(step(&book, .init(.rateLimited, endpoint: b, retryAfter: .seconds(5))) == .again(after: .zero))
    #expect(book.excluding.contains(a) && book.excluding.contains(b) && book.tries == 1)
    var nobody = RetryBook.Failure(.cancelled)
    nobody.noEndpoint = true
    #expect(step(&book, nobody) == .again(after: .seconds(5)))
    #expect(book.excluding.isEmpty && book.tries == 2)
    #expect(step(&book, nobody) == .giveUp)
  }

  @Test func failedEndpointIsAvoidedWhileThereIsAnother() {
    var book = RetryBook(attempts: 3)
    _ = step(&book, .init(.server, endpoint: a))
    #expect(book.excluding.contains(a))
    var nobody = RetryBook.Failure(.cancelled)
    nobody.noEndpoint = true
    #expect(step(&book, nobody) == .again(after: .zero))
    #expect(book.excluding.isEmpty && book.tries == 2)
  }
}
