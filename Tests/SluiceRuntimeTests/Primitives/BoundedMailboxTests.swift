import SluiceRuntime
import Testing

@Suite struct BoundedMailboxTests {
  @Test func keepsOrderAndEndsAfterTheLast() async {
    let mailbox = BoundedMailbox<Int>(capacity: 100)
    for number in 0..<40 { #expect(mailbox.send(number)) }
    mailbox.close()
    var received: [Int] = []
    while let number = await mailbox.next() { received.append(number) }
    #expect(received == Array(0..<40))
    #expect(mailbox.dropped == 0)
  }

  @Test func theNewestIsDroppedAndCounted() async {
    let mailbox = BoundedMailbox<Int>(capacity: 3)
    for number in 0..<5 { #expect(mailbox.send(number) == (number < 3)) }
    #expect(mailbox.dropped == 2)
    #expect(mailbox.takeAvailable(limit: 10) == [0, 1, 2])
  }

  @Test func orTheOldest() async {
    let mailbox = BoundedMailbox<Int>(capacity: 3, overflow: .dropOldest)
    for number in 0..<5 { mailbox.send(number) }
    #expect(mailbox.dropped == 2)
    #expect(mailbox.takeAvailable(limit: 2) == [2, 3])
    #expect(mailbox.takeAvailable(limit: 2) == [4])
  }

  @Test func theRingWrapsWhileItGrows() {
    let mailbox = BoundedMailbox<Int>(capacity: 50)
    var next = 0
    var expected = 0
    for round in 0..<30 {
      for _ in 0..<(round % 7 + 3) where mailbox.count < 50 {
        #expect(mailbox.send(next))
        next += 1
      }
      for number in mailbox.takeAvailable(limit: round % 5) {
        #expect(number == expected)
        expected += 1
      }
    }
    #expect(mailbox.takeAvailable(limit: 100) == Array(expected..<next))
  }

  @Test func aClosedMailboxCountsWhatItRefuses() async {
    let mailbox = BoundedMailbox<Int>(capacity: 3)
    mailbox.close()
    #expect(mailbox.send(1) == false)
    #expect(mailbox.dropped == 1)
    #expect(await mailbox.next() == nil)
  }

  @Test func aWaitingConsumerIsHandedTheMessage() async {
    let mailbox = BoundedMailbox<Int>(capacity: 1)
    async let received = mailbox.next()
    for _ in 0..<100 { await Task.yield() }
    mailbox.send(7)
    #expect(await received == 7)
  }

  @Test func aCancelledConsumerSeesTheEndAndLosesNothing() async {
    let mailbox = BoundedMailbox<Int>(capacity: 1)
    let consumer = Task { await mailbox.next() }
    for _ in 0..<100 { await Task.yield() }
    consumer.cancel()
    #expect(await consumer.value == nil)
    #expect(mailbox.send(7))
    #expect(await mailbox.next() == 7)
  }

  @Test func manyProducersLoseNothingThatFits() async {
    let mailbox = BoundedMailbox<Int>(capacity: 4_000)
    let sum = await withTaskGroup(of: Int.self) { group in
      group.addTask {
        var sum = 0
        for _ in 0..<4_000 { sum += await mailbox.next() ?? 0 }
        return sum
      }
      for _ in 0..<4 {
        group.addTask {
          for number in 1...1_000 { mailbox.send(number) }
          return 0
        }
      }
      return await group.reduce(0, +)
    }
    #expect(sum == 4 * 500_500)
    #expect(mailbox.dropped == 0)
  }
}
