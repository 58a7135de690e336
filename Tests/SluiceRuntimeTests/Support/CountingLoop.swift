import Dispatch
import NIOCore
import NIOEmbedded
import SluiceRuntime

/// An embedded event loop that counts what it is asked to do.
final class CountingLoop: EventLoop {
  let inner = EmbeddedEventLoop()
  private let counter = Guarded(0)

  var asked: Int { counter.value }
  var now: NIODeadline { inner.now }
  var inEventLoop: Bool { inner.inEventLoop }

  private func count() { counter.withLock { $0 += 1 } }

  func execute(_ task: @escaping @Sendable () -> Void) {
    count()
    inner.execute(task)
  }

  func scheduleTask<T>(deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
    count()
    return inner.scheduleTask(deadline: deadline, task)
  }

  func scheduleTask<T>(in delay: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
    count()
    return inner.scheduleTask(in: delay, task)
  }

  func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
    inner.shutdownGracefully(queue: queue, callback)
  }
}
