import NIOCore
import NIOPosix
import SluiceConfiguration
import SluiceDialects

/// Goes through the sources of a plan, once, until one has credentials.
///
/// States: at a source → at the next one (it had nothing) → over (found, refused, or no source is left). Confined to its
/// event loop, which `@unchecked Sendable` relies on; files are read on NIO's threads.
final class CredentialSearch: @unchecked Sendable {
  enum Outcome: Sendable {
    case found(AWSCredentials, place: String)
    case failed(String)
  }

  private let sources: [AWSCredentialPlan.Source]
  private let clients: [AWSMetadataURL: MetadataClient]
  private let files: FileAccess
  private let loop: any EventLoop
  private var index = 0
  private var reasons: [String] = []
  private var done: ((Outcome) -> Void)?

  init(
    _ plan: AWSCredentialPlan, clients: [AWSMetadataURL: MetadataClient], files: FileAccess, loop: any EventLoop,
    _ done: @escaping (Outcome) -> Void
  ) {
    sources = plan.sources
    self.clients = clients
    self.files = files
    self.loop = loop
    self.done = done
  }

  /// On the loop. `done` is called once, there.
  func start() { next() }

  private func next() {
    guard index < sources.count else {
      return over(.failed(([AWSCredentialPlan.advice] + reasons).joined(separator: "; ")))
    }
    let source = sources[index]
    index += 1
    switch source {
    case .fixed(let credentials, let place): over(.found(credentials, place: place))
    case .refused(let reason): over(.failed(reason))
    case .files(let source): look(into: source)
    case .metadata(let source): prepare(source)
    }
  }

  private func over(_ outcome: Outcome) {
    done?(outcome)
    done = nil
  }

  /// The next source may have some; one that was named may not be passed over.
  private func nothing(_ reason: String, isNamed: Bool) {
    guard !isNamed else { return over(.failed(reason)) }
    reasons.append(reason)
    next()
  }

  // MARK: Files

  private func look(into source: AWSFileSource) {
    let files = files
    NIOThreadPool.singleton.runIfActive(eventLoop: loop) { AWSFiles.find(source, files) }.whenComplete { result in
      switch result {
      case .success(.found(let credentials)): self.over(.found(credentials, place: "profile '\(source.profile)'"))
      case .success(.refused(let problem)): self.over(.failed(problem.description))
      case .success(.nothing(let reason)): self.nothing(reason, isNamed: source.isNamed)
      case .failure(let error): self.nothing("the shared files could not be read: \(error)", isNamed: source.isNamed)
      }
    }
  }

  // MARK: Metadata endpoints

  private func prepare(_ source: AWSMetadataSource) {
    guard case .container(_, .file(let path)) = source else {
      guard case .container(_, .token(let token)) = source else { return converse(source, authorization: nil) }
      return converse(source, authorization: token.reveal())
    }
    let files = files
    NIOThreadPool.singleton.runIfActive(eventLoop: loop) { AWSFiles.token(path, files) }.whenComplete { result in
      switch result {
      case .success(.success(let token)): self.converse(source, authorization: token)
      case .success(.failure(let problem)):
        self.over(.failed("the authorization token file \(path) \(problem.message)"))
      case .failure(let error): self.over(.failed("the authorization token file could not be read: \(error)"))
      }
    }
  }

  private func converse(_ source: AWSMetadataSource, authorization: String?) {
    var dialogue = AWSMetadataDialogue(source, authorization: authorization)
    guard let client = clients[source.url] else {
      return nothing("the \(source.name)'s endpoint cannot be asked", isNamed: source.isNamed)
    }
    follow(dialogue.begin(), dialogue, client, source)
  }

  private func follow(
    _ step: AWSMetadataDialogue.Step, _ dialogue: AWSMetadataDialogue, _ client: MetadataClient,
    _ source: AWSMetadataSource
  ) {
    switch step {
    case .done(let credentials): over(.found(credentials, place: "the \(source.name)'s role"))
    case .failed(let reason): nothing(reason, isNamed: source.isNamed)
    case .ask(let question):
      client.ask(question, on: loop) { result in
        var dialogue = dialogue
        let step: AWSMetadataDialogue.Step
        switch result {
        case .failure(let failure): step = dialogue.broke(failure.reason)
        case .success(let answer):
          step = answer.body.withSlice { dialogue.answered(status: answer.status, body: $0) }
        }
        self.follow(step, dialogue, client, source)
      }
    }
  }
}
