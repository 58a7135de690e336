import Foundation
import NIOCore
import NIOPosix
import SluiceHTTP
import SluicePolicy
import SluiceRuntime

/// Sends a plan's requests to one address from the loops of a group and collects what came of them.
struct LoadRun: Sendable {
  let plan: LoadPlan
  let url: String
  let group: MultiThreadedEventLoopGroup

  /// Runs to the plan's end, or until the task is cancelled; `progress` is called about five times a second.
  func run(progress: @escaping @Sendable (Int, Double) -> Void = { _, _ in }) async throws -> LoadResult {
    let origin = try HTTPOrigin(url: url)
    let loops = Array(group.makeIterator())
    let connector = try HTTPConnector(transport: HTTPTransport(loops: loops), origins: [origin])
    let left = Guarded(plan.requests ?? .max)
    let sent = Guarded(0)
    let start = NIODeadline.now()
    let workers = (0..<max(1, plan.concurrency)).map { index in
      LoadWorker(
        connector: connector, origin: origin, loop: loops[index % loops.count], plan: plan, seed: UInt64(index) + 1
      ) {
        if let duration = plan.duration, NIODeadline.now() - start >= .nanoseconds(duration.nanoseconds) {
          return false
        }
        guard left.withLock({ if $0 > 0 { $0 -= 1; return true } else { return false } }) else { return false }
        sent.withLock { $0 += 1 }
        return true
      }
    }
    return try await withTaskCancellationHandler {
      try await withThrowingTaskGroup(of: LoadResult?.self) { tasks in
        for worker in workers { tasks.addTask { try await worker.start().get() } }
        tasks.addTask {
          while !Task.isCancelled {
            progress(sent.value, Double((NIODeadline.now() - start).nanoseconds) / 1e9)
            try? await Task.sleep(for: .milliseconds(200))
          }
          return nil
        }
        return try await collect(&tasks, count: workers.count)
      }
    } onCancel: {
      for worker in workers { worker.stop() }
    }
  }

  private func collect(
    _ tasks: inout ThrowingTaskGroup<LoadResult?, any Error>, count: Int
  ) async throws -> LoadResult {
    var total = LoadResult(), finished = 0
    while finished < count, let result = try await tasks.next() {
      guard let result else { continue }
      total.merge(result)
      finished += 1
    }
    tasks.cancelAll()
    return total
  }
}
