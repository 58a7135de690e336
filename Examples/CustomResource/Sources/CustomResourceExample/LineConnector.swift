import NIOCore
import NIOPosix
import SluicePolicy
import SluiceRuntime

/// Opens line connections. The identity of an origin, as the pool's settings have it, is its port on this machine.
struct LineConnector: ResourceConnector {
  func connect(
    _ request: ConnectRequest,
    _ done: @escaping @Sendable (Result<Connected<LineConnection>, PoolConnectError>) -> Void
  ) {
    guard let port = Int(request.originIdentity) else {
      return done(.failure(PoolConnectError(.caller, label: "origin")))
    }
    guard request.timeRemaining > .zero else {
      return done(.failure(PoolConnectError(.timeout, label: "deadline")))
    }
    ClientBootstrap(group: request.eventLoop)
      .connectTimeout(.nanoseconds(request.timeRemaining.nanoseconds))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(LineHandler()) }
      }
      .connect(host: "127.0.0.1", port: port)
      .whenComplete { result in
        done(
          result
            .map { Connected(resource: LineConnection(channel: $0, events: request.events)) }
            .mapError { PoolConnectError(.network, label: "connect", cause: $0) })
      }
  }
}
