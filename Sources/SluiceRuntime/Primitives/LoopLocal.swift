public import NIOCore
public import SluicePolicy

/// One value per event loop, changed without a lock on that loop only and read from elsewhere by a hop.
///
/// This is how hot counters and histograms work: a change costs a memory access, a reader pays the hop.
///
/// Open for inlining, since a generic call across modules that is not specialised looks types up each time.
@usableFromInline
package final class LoopLocal<Value: Sendable>: Sendable {
  @usableFromInline package let cells: [LoopCell<Value>]

  package init(loops: [any EventLoop], make: (LoopID) -> Value) {
    precondition(!loops.isEmpty && loops.count <= Int(UInt16.max), "between 1 and 65535 event loops")
    cells = loops.enumerated().map { index, loop in
      LoopCell(loop: loop, value: make(LoopID(rawValue: UInt16(index))))
    }
  }

  /// Changes this loop's value. The caller must be on that loop.
  @inlinable
  @discardableResult
  package func withValue<Result>(on loop: LoopID, _ body: (inout Value) -> Result) -> Result {
    let cell = cells[Int(loop.rawValue)]
    cell.loop.assertInEventLoop()
    return body(&cell.value)
  }

  /// Hands `item` to this loop's value without copying it. The caller must be on that loop.
  @inlinable
  package func give<Item>(_ item: consuming Item, to loop: LoopID, _ body: (inout Value, consuming Item) -> Void) {
    let cell = cells[Int(loop.rawValue)]
    cell.loop.assertInEventLoop()
    body(&cell.value, item)
  }

  /// Every loop's value, in the order of the loops, each read on its own loop.
  package func values() async throws -> [Value] {
    var values: [Value] = []
    values.reserveCapacity(cells.count)
    for cell in cells {
      values.append(try await cell.loop.submit { cell.value }.get())
    }
    return values
  }

  /// As ``values()``, without a task: `done` is called on `loop`.
  package func collect(on loop: any EventLoop) -> EventLoopFuture<[Value]> {
    EventLoopFuture.whenAllSucceed(cells.map { cell in cell.loop.submit { cell.value } }, on: loop)
  }
}

/// Sendable although `value` is bare: it is touched on `loop` only. Padded so that two loops never share a cache line.
@usableFromInline
package final class LoopCell<Value: Sendable>: @unchecked Sendable {
  @usableFromInline package let loop: any EventLoop
  private let before: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)
  @usableFromInline package var value: Value
  private let after: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)

  init(loop: any EventLoop, value: Value) {
    self.loop = loop
    self.value = value
  }
}
