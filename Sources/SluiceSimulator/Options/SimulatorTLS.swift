internal import NIOSSL

/// What a simulator that speaks TLS shows to its clients.
public struct SimulatorTLS: Sendable, Hashable {
  /// A file with the certificate and those it rests on, in PEM.
  public var certificate: String
  /// A file with the certificate's private key, in PEM.
  public var privateKey: String

  /// Names both files; they are read when the simulator starts.
  public init(certificate: String, privateKey: String) {
    self.certificate = certificate
    self.privateKey = privateKey
  }

  func context() throws -> NIOSSLContext {
    let chain: [NIOSSLCertificateSource]
    let key: NIOSSLPrivateKey
    do {
      chain = try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) }
      key = try NIOSSLPrivateKey(file: privateKey, format: .pem)
    } catch {
      throw SimulatorError(description: "cannot read \(certificate) and \(privateKey): \(error)")
    }
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain, privateKey: .privateKey(key))
    configuration.applicationProtocols = ["h2", "http/1.1"]
    return try NIOSSLContext(configuration: configuration)
  }
}
