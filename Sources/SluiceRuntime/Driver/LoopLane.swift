import NIOCore

/// The answers a pool gives on one event loop.
///
/// A waiter that is granted a lease may give it back at once, which grants it to the next one, and so on down a long
/// queue. The lane turns that recursion into a loop: while one answer is being given, further ones for the same loop
/// line up and are given by the outermost call.
// Sendable although it has bare state: `busy`, `line` and `next` are touched on `loop` only.
final class LoopLane: @unchecked Sendable {
  let loop: any EventLoop
  private var busy = false
  private var line: [Delivery] = []
  private var next = 0

  init(loop: any EventLoop) {
    self.loop = loop
  }

  /// Gives the answer on the loop: now if the caller is there.
  func deliver(_ delivery: Delivery) {
    if loop.inEventLoop {
      deliverOnLoop(delivery)
    } else {
      loop.execute { self.deliverOnLoop(delivery) }
    }
  }

  /// Runs `body` with answers held back until it has returned and its caller has too. The caller is on the loop.
  func holdingBack(_ body: () -> Void) {
    let outermost = !busy
    busy = true
    body()
    guard outermost else { return }
    busy = false
    if next < line.count { loop.execute { self.drain() } }
  }

  private func deliverOnLoop(_ delivery: Delivery) {
    line.append(delivery)
    drain()
  }

  private func drain() {
    guard !busy else { return }
    busy = true
    while next < line.count {
      let delivery = line[next]
      next += 1
      delivery.deliver()
    }
    line.removeAll(keepingCapacity: true)
    next = 0
    busy = false
  }
}
