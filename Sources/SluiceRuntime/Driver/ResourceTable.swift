import SluicePolicy

/// The opened resources of one pool by handle. Part of the monitor: reached only under the pool's lock.
///
/// An entry exists from the moment a connector handed the resource over until it closed or the pool decided to close
/// it. A handle whose generation has passed finds nothing.
struct ResourceTable: Sendable {
  struct Entry: Sendable {
    let generation: UInt32
    let loop: LoopID
    let resource: any PoolableResource
    /// A second resource was handed over under the same handle, so a report may be about that one.
    var isDoubtful = false
  }

  private var entries: [Entry?] = []
  private(set) var count = 0

  subscript(id: ResourceID) -> Entry? {
    let index = Int(id.index)
    guard index < entries.count, let entry = entries[index], entry.generation == id.generation else { return nil }
    return entry
  }

  /// The resource behind a grant. A grant names only what was registered before the machine heard of it.
  func granted(_ id: ResourceID) -> any PoolableResource {
    guard let entry = self[id] else { preconditionFailure("a grant names a resource that is not in the table") }
    return entry.resource
  }

  /// False when the handle is already in use, or its time has passed.
  mutating func insert(_ resource: any PoolableResource, as id: ResourceID, on loop: LoopID) -> Bool {
    let index = Int(id.index)
    while entries.count <= index { entries.append(nil) }
    if let present = entries[index], present.generation >= id.generation {
      if present.generation == id.generation { entries[index]?.isDoubtful = true }
      return false
    }
    if entries[index] == nil { count += 1 }
    entries[index] = Entry(generation: id.generation, loop: loop, resource: resource)
    return true
  }

  @discardableResult
  mutating func remove(_ id: ResourceID) -> Entry? {
    guard let entry = self[id] else { return nil }
    entries[Int(id.index)] = nil
    count -= 1
    return entry
  }
}
