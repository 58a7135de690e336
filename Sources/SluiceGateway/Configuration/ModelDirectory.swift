import SluiceDialects
import SluiceHTTP
import SluicePolicy
import SluiceRuntime

/// The merged list of models of one surface in one configuration, as one event loop knows it: what each pool's provider
/// lists, as far as the pool's allow list lets it, and the names that the configuration itself gives.
///
/// Providers are asked when a client wants the list for the first time; clients that come meanwhile wait for the same
/// answer. Later a list that is older than `lifetime` is still handed out at once, while the providers are asked in the
/// background. A provider that does not answer within `patience` keeps what it said before and is asked again after
/// `retryAfter`.
///
/// Confined to its event loop.
final class ModelDirectory {
  static let lifetime = Interval.seconds(300)
  static let retryAfter = Interval.seconds(15)
  static let patience = Interval.seconds(5)
  /// Clients that wait for one list.
  static let maxWaiters = 256
  /// Models taken from one provider.
  static let maxModels = 10_000

  /// What one pool's provider said last.
  private struct Listing {
    let pool: GatewayPool
    var models: [ModelEntry]?
  }

  private let loop: LoopContext
  private let configuration: GatewayConfiguration
  private let surface: Surface
  private var listings: [Listing]
  private var models: [ModelEntry] = []
  /// When to ask again; nil while there is no list.
  private var dueAt: Instant?
  private var outstanding = 0
  private var isPartial = false
  private var waiters: [([ModelEntry]) -> Void] = []

  /// - Parameter former: of the configuration before; what its pools said stays known where all of them are still there.
  init(
    loop: LoopContext, configuration: GatewayConfiguration, surface: Surface, former: ModelDirectory? = nil
  ) {
    self.loop = loop
    self.configuration = configuration
    self.surface = surface
    listings = configuration.pools.filter { $0.serves(surface.chat) }.map { pool in
      Listing(pool: pool, models: former?.listings.first { $0.pool.driver === pool.driver }?.models)
    }
    guard let former, former.dueAt != nil, listings.allSatisfy({ $0.models != nil }) else { return }
    merge()
    dueAt = former.dueAt
  }

  /// The pools whose providers listed the model, as far as they have been asked.
  func pools(listing model: String) -> [GatewayPool] {
    listings.filter { listing in
      listing.pool.allows(model: model) && listing.models?.contains { $0.id == model } == true
    }.map(\.pool)
  }

  /// Hands over the list, now or when the providers have answered; false when too many wait already.
  func list(now: Instant, _ done: @escaping ([ModelEntry]) -> Void) -> Bool {
    if let dueAt {
      done(models)
      if now >= dueAt, outstanding == 0 { fetch(now) }
      return true
    }
    guard waiters.count < Self.maxWaiters else { return false }
    waiters.append(done)
    if outstanding == 0 { fetch(now) }
    return true
  }

  private func fetch(_ now: Instant) {
    outstanding = listings.count + 1
    for (index, listing) in listings.enumerated() {
      ModelFetch(loop: loop, pool: listing.pool) { models in
        if let models { self.listings[index].models = Array(models.prefix(Self.maxModels)) }
        self.arrived(complete: models != nil)
      }.start(now)
    }
    arrived(complete: true)
  }

  private func arrived(complete: Bool) {
    if !complete { isPartial = true }
    outstanding -= 1
    guard outstanding == 0 else { return }
    merge()
    dueAt = loop.clock.now() + (isPartial ? Self.retryAfter : Self.lifetime)
    isPartial = false
    let all = waiters
    waiters = []
    for waiter in all { waiter(models) }
  }

  /// What providers say and pools allow, then what only the configuration knows; each name once.
  private func merge() {
    var seen: Set<String> = []
    models = []
    for listing in listings {
      let allowed = (listing.models ?? []).filter { listing.pool.allows(model: $0.id) }
      models += allowed.filter { seen.insert($0.id).inserted }
    }
    for name in configuration.routes.models(surface: surface) where seen.insert(name).inserted {
      models.append(ModelEntry(id: name, owner: "sluice"))
    }
  }
}
