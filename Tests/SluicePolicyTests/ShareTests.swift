import SluicePolicy
import Testing

/// Endpoints with less than a full share of the load, whatever the strategy.
@Suite struct ShareTests {
  private let now = Instant(nanoseconds: 1_000_000_000_000)

  private func table(_ count: Int) -> EndpointTable {
    var table = EndpointTable()
    for index in 0..<count {
      let position = table.add(EndpointSettings(identity: "e\(index)", name: "e\(index)", origin: 0), origin: 0)
      table.setRank(position, .primary)
    }
    return table
  }

  /// Requests that each of `count` gets of so many, the first one with a quarter of a share, when nothing is lent for longer
  /// than it takes, or with `lent` slots lent at any time.
  private func shares(_ strategy: BalanceStrategy, of count: Int, lent: Int, requests: Int) -> [Int] {
    var table = table(count)
    table[0].health.recover(now)
    table.reduced.insert(position: 0)
    let moment = now + .seconds(10)
    var balancer = Balancer(strategy: strategy, slowStart: .seconds(40), seed: 11)
    var counts = Array(repeating: 0, count: count)
    var held: [Int] = []
    for _ in 0..<requests {
      guard let all = table.candidates() else { return counts }
      let list = table.sharing(all, moment, slowStart: .seconds(40))
      let position = table.member(list.base + balancer.first(of: list, in: table, now: moment))
      counts[position] += 1
      table[position].leased += 1
      held.append(position)
      if held.count > lent { table[held.removeFirst()].leased -= 1 }
    }
    return counts
  }

  @Test(arguments: BalanceStrategy.allCases, [2, 3, 5])
  func aReducedEndpointGetsItsShare(strategy: BalanceStrategy, count: Int) {
    for lent in [0, 8] {
      let counts = shares(strategy, of: count, lent: lent, requests: 20_000)
      let share = Double(counts[0]) / 20_000
      // A quarter of what each of the others gets: 1/5 of two, 1/9 of three, 1/17 of five.
      let due = 0.25 / (Double(count - 1) + 0.25)
      #expect(abs(share - due) < 0.1 * due, "\(strategy) with \(lent) lent: \(share) instead of \(due)")
      for other in counts.dropFirst() {
        #expect(abs(Double(other) / 20_000 - 4 * due) < 0.1 * 4 * due, "\(strategy): \(counts)")
      }
    }
  }

  @Test(arguments: BalanceStrategy.allCases) func aReducedEndpointThatHoldsTooMuchIsPassedOver(
    _ strategy: BalanceStrategy
  ) throws {
    var table = table(3)
    table[0].health.recover(now)
    table.reduced.insert(position: 0)
    table[0].leased = 10
    let list = table.sharing(try #require(table.candidates()), now, slowStart: .seconds(30))
    #expect(list.full == 2 && list.count == 3)
    var balancer = Balancer(strategy: strategy, slowStart: .seconds(30), seed: 11)
    for _ in 0..<500 {
      let chosen = table.member(list.base + balancer.first(of: list, in: table, now: now))
      #expect(chosen != 0)
    }
  }

  @Test(arguments: BalanceStrategy.allCases) func whereAllAreReducedEachGetsWhatItsShareSays(
    _ strategy: BalanceStrategy
  ) throws {
    var table = table(2)
    table[0].health.recover(now)
    table[1].health.recover(now - .seconds(20))
    table.reduced = EndpointSet(table[0].id).union(EndpointSet(table[1].id))
    let list = table.sharing(try #require(table.candidates()), now + .seconds(10), slowStart: .seconds(40))
    #expect(list.full == 0)
    var balancer = Balancer(strategy: strategy, slowStart: .seconds(40), seed: 11)
    var first = 0
    for _ in 0..<4000 where table.member(list.base + balancer.first(of: list, in: table, now: now + .seconds(10))) == 0
    {
      first += 1
    }
    #expect(first > 900 && first < 1100, "a quarter beside three quarters: \(first)")
  }

  @Test func aFullShareEndsTheLot() throws {
    var table = table(2)
    table[0].health.recover(now)
    table.reduced.insert(position: 0)
    let list = table.sharing(try #require(table.candidates()), now + .seconds(30), slowStart: .seconds(30))
    #expect(list.full == 2 && table.reduced.isEmpty)
  }
}
