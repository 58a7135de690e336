/// What is fixed while the gateway runs. Everything that a reload may change is in ``GatewayConfiguration``.
package struct GatewaySettings: Sendable {
  package var listen: [ListenAddress]
  package var tls: GatewayTLS?
  /// Client connections at a time over all listeners; further ones get a 503 and are closed.
  package var maxConnections: Int
  /// Bytes of request bodies kept for retries, over the whole process.
  package var maxBuffered: Int
  /// Connections that wait to be accepted.
  package var backlog: Int
  /// SO_RCVBUF towards clients. When a client closes, NIO reads the kernel's buffer to its end whatever the demand:
  /// this is what bounds it.
  package var receiveBufferBytes: Int
  /// Descriptors to ask the system for at start; it may grant fewer.
  package var wantedDescriptors: Int
  /// Recent requests kept per event loop, metadata only.
  package var recentRequests: Int

  package init(
    listen: [ListenAddress] = [.tcp(host: "127.0.0.1", port: 8080)], tls: GatewayTLS? = nil,
    maxConnections: Int = 16_384, maxBuffered: Int = 512 << 20, backlog: Int = 1_024,
    receiveBufferBytes: Int = 262_144, wantedDescriptors: Int = 65_536, recentRequests: Int = 256
  ) {
    self.listen = listen
    self.tls = tls
    self.maxConnections = max(1, maxConnections)
    self.maxBuffered = max(1 << 20, maxBuffered)
    self.backlog = max(1, backlog)
    self.receiveBufferBytes = max(16_384, receiveBufferBytes)
    self.wantedDescriptors = wantedDescriptors
    self.recentRequests = max(1, recentRequests)
  }
}

/// PEM files of the gateway's own certificate.
package struct GatewayTLS: Hashable, Sendable {
  package var certificatePath: String
  package var privateKeyPath: String

  package init(certificatePath: String, privateKeyPath: String) {
    self.certificatePath = certificatePath
    self.privateKeyPath = privateKeyPath
  }
}
