import SluicePolicy

/// The identities, as the settings spell them, behind the handles of origins and endpoints.
///
/// Handles of removed ones stay known until their place is used again: what is still being finished under the old
/// settings needs them. Bounded by the number of places, see `EndpointSet.capacity`.
struct IdentityTable: Sendable {
  private struct Entry: Sendable {
    var handle: UInt16
    var identity: String
  }

  private var origins: [Entry?] = []
  private var endpoints: [Entry?] = []

  mutating func learn(_ layout: PoolLayout, _ settings: PoolSettings) {
    for (id, origin) in zip(layout.origins, settings.origins) {
      Self.put(Entry(handle: id.rawValue, identity: origin.identity), at: id.position, in: &origins)
    }
    for (id, endpoint) in zip(layout.endpoints, settings.endpoints) {
      Self.put(Entry(handle: id.rawValue, identity: endpoint.identity), at: id.position, in: &endpoints)
    }
  }

  func identity(of origin: OriginID) -> String {
    Self.find(origin.rawValue, at: origin.position, in: origins)
  }

  func identity(of endpoint: EndpointID) -> String {
    Self.find(endpoint.rawValue, at: endpoint.position, in: endpoints)
  }

  private static func put(_ entry: Entry, at position: Int, in entries: inout [Entry?]) {
    while entries.count <= position { entries.append(nil) }
    entries[position] = entry
  }

  private static func find(_ handle: UInt16, at position: Int, in entries: [Entry?]) -> String {
    guard position < entries.count, let entry = entries[position], entry.handle == handle else {
      preconditionFailure("the machine names an origin or endpoint that it never announced")
    }
    return entry.identity
  }
}
