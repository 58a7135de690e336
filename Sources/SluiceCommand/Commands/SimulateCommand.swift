public import ArgumentParser
import Foundation
import Logging
import ServiceLifecycle
public import SluiceSimulator
import UnixSignals

/// `sluice simulate`: the provider simulator alone.
struct SimulateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate", abstract: "Run the provider simulator: all nine providers without an account.",
    discussion: """
      HTTP/1.1 and HTTP/2 on one port, which of them is seen by the first bytes or, with TLS, negotiated. Faults are \
      scripted with PUT /_simulator/faults (a JSON list), counters are at GET /_simulator/stats. The same seed gives \
      the same answers.
      """)

  @Option(help: "HOST:PORT; port 0 lets the system choose.") var listen = "127.0.0.1:8090"
  @Option(help: "Decides texts, latency and which requests a fault hits.") var seed: UInt64 = 1
  @Option(help: "realistic or none.") var latency = SimulatorLatency.realistic
  @Option(help: "A JSON file with the faults to begin with.") var faults: String?
  @Flag(help: "Enforce the limits of real accounts per key, with 429s.") var limits = false
  @Option(help: "Streams that one connection of HTTP/2 may have at a time; PUT /_simulator/http2 changes it.")
  var maxConcurrentStreams = 100
  @Option(help: "Speak TLS: the certificate chain, a PEM file.") var tlsCertificate: String?
  @Option(help: "Its private key, a PEM file.") var tlsKey: String?
  @OptionGroup var logging: LogOptions

  func validate() throws {
    guard (tlsCertificate == nil) == (tlsKey == nil) else {
      throw ValidationError("--tls-certificate and --tls-key belong together")
    }
    guard (0...Int(Int32.max)).contains(maxConcurrentStreams) else {
      throw ValidationError("--max-concurrent-streams is between 0 and \(Int32.max)")
    }
  }

  func run() async throws {
    _ = logging.makeLogger()
    let place = try HostAndPort(listen)
    var options = SimulatorOptions(host: place.host, port: place.port, seed: seed, latency: latency)
    if limits {
      options.openAILimits = .openAI
      options.anthropicLimits = .anthropic
    }
    options.maxConcurrentStreams = maxConcurrentStreams
    if let tlsCertificate, let tlsKey {
      options.tls = SimulatorTLS(certificate: tlsCertificate, privateKey: tlsKey)
    }
    let server = SimulatorServer(options)
    let address: SimulatorAddress
    do {
      address = try await server.start()
      if let faults { try await server.setFaults(Self.read(faults)) }
    } catch let failure as CommandFailure {
      throw failure
    } catch let problem as SimulatorError {
      throw CommandFailure("\(problem)")
    } catch { throw CommandFailure("cannot listen on \(listen): \(error)") }
    Terminal.line("simulator listening on \(address.url)")
    Terminal.line(
      "OpenAI base URL \(address.openAIBaseURL), Anthropic base URL \(address.anthropicBaseURL); any key works")
    try await UntilStopped.run { await server.stop() }
  }

  private static func read(_ path: String) throws -> [SimulatorFault] {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CommandFailure("cannot read the faults in \(path)")
    }
    do {
      return try SimulatorFault.decode(json: String(decoding: data, as: UTF8.self))
    } catch {
      throw CommandFailure("\(path): \(error)")
    }
  }
}

extension SimulatorLatency: ExpressibleByArgument {}

/// `HOST:PORT` of an option.
struct HostAndPort {
  var host: String
  var port: Int

  init(_ text: String) throws {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (0...65_535).contains(port)
    else { throw ValidationError("--listen is HOST:PORT, as in 127.0.0.1:8090; not '\(text)'") }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    self.host = host.isEmpty ? "127.0.0.1" : String(host)
    self.port = port
  }
}

/// Waits for SIGTERM or SIGINT, then runs the end.
enum UntilStopped {
  private struct Waiting: Service {
    let end: @Sendable () async throws -> Void
    func run() async throws {
      try? await gracefulShutdown()
      try await end()
    }
  }

  static func run(_ end: @escaping @Sendable () async throws -> Void) async throws {
    let group = ServiceGroup(
      services: [Waiting(end: end)], gracefulShutdownSignals: [.sigterm, .sigint], logger: .silent)
    try await group.run()
  }
}

extension Logger {
  /// For libraries whose own log lines would only repeat ours.
  static var silent: Logger { Logger(label: "sluice.silent") { _ in SwiftLogNoOpLogHandler() } }
}
