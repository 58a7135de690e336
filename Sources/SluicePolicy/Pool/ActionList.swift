/// The actions of one decision, in order. The first few are stored inside the value, further ones in an array whose
/// room is kept, so that a list which is used again does not allocate.
public struct ActionList: Sendable {
  private var action0: PoolAction?
  private var action1: PoolAction?
  private var action2: PoolAction?
  private var action3: PoolAction?
  private var overflow: [PoolAction] = []
  /// Actions in the list; its only bound is what one decision asks for.
  public private(set) var count = 0

  /// An empty list; allocates nothing until it holds more than four actions.
  public init() {}

  /// The decision asks for nothing.
  public var isEmpty: Bool { count == 0 }

  /// Adds to the end; the fifth and later ones may allocate.
  public mutating func append(_ action: PoolAction) {
    switch count {
    case 0: action0 = action
    case 1: action1 = action
    case 2: action2 = action
    case 3: action3 = action
    default: overflow.append(action)
    }
    count += 1
  }

  /// The action at `index`, which must be less than `count`.
  public subscript(index: Int) -> PoolAction {
    precondition(index >= 0 && index < count, "no action at this index")
    let inline: PoolAction? =
      switch index {
      case 0: action0
      case 1: action1
      case 2: action2
      case 3: action3
      default: overflow[index - 4]
      }
    guard let inline else { preconditionFailure("actions below the count are always set") }
    return inline
  }

  /// Calls `body` with each action, in order; stops at the first error and throws it on.
  public func forEach<E: Error>(_ body: (PoolAction) throws(E) -> Void) throws(E) {
    var index = 0
    while index < count {
      try body(self[index])
      index += 1
    }
  }

  /// Empties the list; the room for a fifth and later actions is kept unless told otherwise.
  public mutating func removeAll(keepingCapacity: Bool = true) {
    if count > 4 { overflow.removeAll(keepingCapacity: keepingCapacity) }
    count = 0
  }

  /// All actions as an array; allocates, for tests and logs.
  public var array: [PoolAction] {
    var result: [PoolAction] = []
    result.reserveCapacity(count)
    forEach { result.append($0) }
    return result
  }
}
