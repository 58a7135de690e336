#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// One thread of its own for calls that block: C libraries, name resolution, files.
///
/// Jobs run one after the other in the order they came. The queue is bounded: when it is full, or after `shutdown`, a
/// job is refused at once. A task that is cancelled while its job waits is told so at once and the job is skipped; a
/// job that runs is waited for, since a blocking call cannot be taken back.
package final class BlockingThread: Sendable {
  package enum Refusal: Error, Equatable {
    case queueFull
    case closed
  }

  private let queue: JobQueue

  /// - Parameter capacity: jobs that may wait.
  package init(capacity: Int) {
    precondition(capacity > 0, "a blocking thread accepts at least one job")
    queue = JobQueue(capacity: capacity)
    queue.start()
  }

  /// The thread ends by itself once its job is done; nobody waits for it.
  deinit {
    queue.close()
    queue.detach()
  }

  /// Jobs that wait and have not been cancelled.
  package var waitingJobs: Int { queue.waiting }

  /// Runs `body` on the thread and hands back what it returned or threw.
  package func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    let job = Job<Result>(body)
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        guard job.begin(continuation) else {
          continuation.resume(throwing: CancellationError())
          return
        }
        if let refusal = queue.append(job) { job.fail(refusal) }
      }
    } onCancel: {
      job.fail(CancellationError())
    }
  }

  /// Refuses new jobs, fails those that wait, waits for the one that runs, and ends the thread. Blocks: not for use on
  /// an event loop or inside a task.
  package func shutdown() {
    queue.close()
    queue.join()
  }
}

/// What the thread can do with a job of any type.
private protocol AnyJob: Sendable {
  /// Answered already: cancelled while it waited.
  var isEnded: Bool { get }
  func perform()
  func fail(_ error: any Error)
}

/// One call. Answered exactly once, by whoever takes the continuation out first.
private final class Job<Result: Sendable>: AnyJob {
  private enum State: Sendable {
    case new
    case waiting(CheckedContinuation<Result, any Error>)
    case running(CheckedContinuation<Result, any Error>)
    case ended
  }

  private let body: @Sendable () throws -> Result
  private let state = Lock(State.new)

  init(_ body: @escaping @Sendable () throws -> Result) {
    self.body = body
  }

  var isEnded: Bool {
    state.withLock { state in
      if case .ended = state { true } else { false }
    }
  }

  /// False when the task was cancelled before.
  func begin(_ continuation: CheckedContinuation<Result, any Error>) -> Bool {
    state.withLock { state in
      guard case .new = state else { return false }
      state = .waiting(continuation)
      return true
    }
  }

  func perform() {
    let wanted = state.withLock { state -> Bool in
      guard case .waiting(let continuation) = state else { return false }
      state = .running(continuation)
      return true
    }
    guard wanted else { return }
    let result = Swift.Result { try body() }
    let continuation = state.withLock { state -> CheckedContinuation<Result, any Error>? in
      guard case .running(let continuation) = state else { return nil }
      state = .ended
      return continuation
    }
    continuation?.resume(with: result)
  }

  func fail(_ error: any Error) {
    let continuation = state.withLock { state -> CheckedContinuation<Result, any Error>? in
      switch state {
      case .new:
        state = .ended
        return nil
      case .waiting(let continuation):
        state = .ended
        return continuation
      case .running, .ended:
        return nil
      }
    }
    continuation?.resume(throwing: error)
  }
}

/// The queue and its thread. Sendable although it holds bare state: `jobs`, `closed` and `thread` are reached only
/// between lock and unlock of `mutex`.
private final class JobQueue: @unchecked Sendable {
  private let capacity: Int
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var jobs: [any AnyJob] = []
  private var closed = false
  private var thread: pthread_t?

  init(capacity: Int) {
    self.capacity = capacity
    mutex.initialize(to: pthread_mutex_t())
    changed.initialize(to: pthread_cond_t())
    precondition(pthread_mutex_init(mutex, nil) == 0 && pthread_cond_init(changed, nil) == 0, "out of resources")
  }

  deinit {
    pthread_mutex_destroy(mutex)
    pthread_cond_destroy(changed)
    mutex.deallocate()
    changed.deallocate()
  }

  func start() {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    #if canImport(Darwin)
    var handle: pthread_t?
    #else
    var handle = pthread_t()
    #endif
    let created = pthread_create(&handle, nil, Self.entry, Unmanaged.passRetained(self).toOpaque())
    precondition(created == 0, "the system refuses another thread")
    thread = handle
  }

  /// Nil when the job was taken.
  func append(_ job: any AnyJob) -> BlockingThread.Refusal? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if closed { return .closed }
    if jobs.count >= capacity { jobs.removeAll { $0.isEnded } }
    if jobs.count >= capacity { return .queueFull }
    jobs.append(job)
    pthread_cond_signal(changed)
    return nil
  }

  var waiting: Int {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return jobs.count { !$0.isEnded }
  }

  func close() {
    pthread_mutex_lock(mutex)
    closed = true
    let refused = jobs
    jobs = []
    pthread_cond_signal(changed)
    pthread_mutex_unlock(mutex)
    for job in refused { job.fail(BlockingThread.Refusal.closed) }
  }

  func join() {
    if let handle = takeThread() { pthread_join(handle, nil) }
  }

  func detach() {
    if let handle = takeThread() { pthread_detach(handle) }
  }

  private func takeThread() -> pthread_t? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    let handle = thread
    thread = nil
    return handle
  }

  #if canImport(Darwin)
  private static let entry: @convention(c) (UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? = { context in
    Unmanaged<JobQueue>.fromOpaque(context).takeRetainedValue().work()
    return nil
  }
  #else
  private static let entry: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
    guard let context else { return nil }
    Unmanaged<JobQueue>.fromOpaque(context).takeRetainedValue().work()
    return nil
  }
  #endif

  private func work() {
    while let job = take() { job.perform() }
  }

  /// Waits for a job; nil when closed.
  private func take() -> (any AnyJob)? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while jobs.isEmpty && !closed { pthread_cond_wait(changed, mutex) }
    return closed ? nil : jobs.removeFirst()
  }
}
