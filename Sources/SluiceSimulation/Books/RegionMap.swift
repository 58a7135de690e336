import SluicePolicy

/// Regions as the facts tell of them: who stands where, how far that is, and which one serves, as the pool says.
struct RegionMap {
  private(set) var names: [String] = []
  private(set) var regionOf: [EndpointID: Int] = [:]
  private(set) var serving = 0
  private var connectTimes: [OriginID: Interval] = [:]

  var count: Int { names.count }

  mutating func observe(_ fact: Fact) {
    switch fact {
    case .configured(let settings, let layout): configure(settings, layout)
    case .emitted(.resourceOpened(_, let origin, let time)): connectTimes[origin] = time
    case .emitted(.regionChanged(let index)): serving = index
    default: break
    }
  }

  private mutating func configure(_ settings: PoolSettings, _ layout: PoolLayout) {
    var found: [String] = []
    for endpoint in settings.endpoints where !found.contains(endpoint.region ?? "") {
      found.append(endpoint.region ?? "")
    }
    if found != names { (names, serving) = (found, 0) }
    regionOf = [:]
    for (endpoint, id) in zip(settings.endpoints, layout.endpoints) {
      regionOf[id] = names.firstIndex(of: endpoint.region ?? "")
    }
  }

  /// Primary endpoints of a region.
  func primaries(_ region: Int, in book: EndpointBook) -> [EndpointID] {
    book.settings.filter { $0.value.role == .primary && regionOf[$0.key] == region }.map(\.key)
  }

  /// Zero: not known of any of its origins.
  func distance(_ region: Int, in book: EndpointBook) -> Interval {
    primaries(region, in: book).compactMap { book.origins[$0].flatMap { connectTimes[$0] } }.min() ?? .zero
  }
}
