import NIOCore
import SluiceDialects
import SluicePolicy
import SluiceRuntime

/// Answers that the gateway gives without forwarding the request: model lists and administration.
extension InboundConnection {
  func answerModels(_ request: consuming InboundRequest) {
    let number = answerNumber
    let surface = request.match.surface
    let id = request.id
    let wanted = request.match.identifier.map { range in
      request.bytes.withUnsafeReadableBytes { bytes in
        PercentDecoding.decode(ByteSlice(bytes)[request.head.path.range][range])
      }
    }
    loop.purse.refund(request.reserved)
    let key = request.caller.key
    let directory = loop.directory(surface)
    let accepted = directory.list(now: loop.clock.now()) { [self] models in
      guard phase == .answering, answerNumber == number else { return }
      let visible = models.filter { model in
        key.map { configuration.access.keys[$0].allows(model: model.id) } ?? true
      }
      write(models: visible, wanted: wanted, surface, id)
    }
    if !accepted { answer(GatewayError(.overloaded, retryAfter: .seconds(1)), surface: surface, id: id) }
  }

  private func write(models: [ModelEntry], wanted: String?, _ surface: Surface, _ id: RequestID) {
    guard let wanted else { return answer(json: ModelList.render(surface, models), surface, .models, id) }
    if let model = models.first(where: { $0.id == wanted }) {
      return answer(json: ModelList.render(surface, one: model), surface, .model, id)
    }
    guard case .refused(let error) = loop.resolve(wanted, surface.chat) else {
      // Served, though nobody lists it (a pattern, a fine-tune).
      return answer(json: ModelList.render(surface, one: ModelEntry(id: wanted)), surface, .model, id)
    }
    answer(error, surface: surface, id: id, operation: .model)
  }

  /// Ollama's clients ask for a version before they talk; ours says which of Ollama's protocol is spoken.
  func answerVersion(_ request: borrowing InboundRequest) {
    loop.purse.refund(request.reserved)
    answer(json: Array(#"{"version":"0.11.0"}"#.utf8), request.match.surface, .ollamaVersion, request.id)
  }

  /// Counts tokens for a provider that cannot, by estimate; false when the route has one that can.
  func answerTokenCount(_ request: borrowing InboundRequest, _ fields: RequestFields, _ route: ModelRoute) -> Bool {
    let operation = request.match.operation
    guard operation.task == .tokenCount, !route.targets.contains(where: { $0.pool.dialect.speaks(operation) }) else {
      return false
    }
    loop.purse.refund(request.reserved)
    let count = TokenCount.estimate(fields)
    answer(json: count.rendered(for: operation), request.match.surface, operation, request.id)
    return true
  }

  /// `/pools/{pool}/…`: to that pool, whatever it is.
  func dispatchNative(_ request: consuming InboundRequest) {
    let name = request.bytes.withUnsafeReadableBytes { bytes in
      PercentDecoding.decode(ByteSlice(bytes)[request.head.path.range][request.match.pool ?? 0..<0])
    }
    guard let pool = configuration.pool(named: name) else {
      return refuse(request, GatewayError(.unknownPath, message: "There is no pool '\(name.prefix(64))'."))
    }
    if let key = request.caller.key, !configuration.access.keys[key].models.isEmpty {
      return refuse(
        request, GatewayError(.modelNotAllowed, message: "This access key is limited to models; native paths are not."))
    }
    if let error = reachesOthersResponses(request) { return refuse(request, error) }
    let target = ResolvedTarget(pool: pool, upstreamModel: nil, slot: loop.metrics.slot(ofPool: pool.name))
    let plan = RoutePlan(targets: [RouteTarget(pool: pool.name)])
    start(request, nil, ModelRoute(model: "", plan: plan, targets: [target]))
  }

  private func answer(json body: [UInt8], _ surface: Surface, _ operation: Operation, _ id: RequestID) {
    let now = loop.clock.now()
    var notes = localNotes(id)
    notes.framing = .length(body.count)
    var scratch = loop.takeScratch()
    AnswerHead.appendJSON(body, date: loop.dateLine(), notes: notes, to: &scratch)
    writeHead(scratch, followedBy: nil)
    flush()
    let count = scratch.count
    loop.giveBack(&scratch)
    account(id, surface, operation, status: 200, code: "", bytesOut: count, now)
    answerEnded(closes: false, now)
  }
}

/// Administration.
extension InboundConnection {
  func answerAdministrator(_ path: String, _ request: consuming InboundRequest) {
    let id = request.id
    let number = answerNumber
    loop.purse.refund(request.reserved)
    guard let admin = loop.admin else { return answer(GatewayError(.unknownPath), surface: .openai, id: id) }
    awaitedAnswer = id
    setDeadline(loop.clock.now() + limits.adminTimeout)
    let future = admin.handle(Self.adminRequest(path, request), on: loop.loop).hop(to: loop.loop)
    future.assumeIsolated().whenComplete { [self] result in
      guard phase == .answering, answerNumber == number else { return }
      awaitedAnswer = nil
      switch result {
      case .success(let response): write(response, id)
      case .failure: answer(GatewayError(.internalError), surface: .openai, id: id)
      }
    }
  }

  /// The administration side was given its time. What it says later is not listened to.
  func administratorIsLate(_ id: RequestID) {
    write(.text("administration did not answer in time\n", status: 504), id)
  }

  private static func adminRequest(_ path: String, _ request: borrowing InboundRequest) -> AdminRequest {
    let head = request.head
    return request.bytes.withUnsafeReadableBytes { bytes in
      var headers: [(name: String, value: String)] = []
      for index in head.headers.indices {
        let field = head.headers[index]
        headers.append((field.name.string(in: bytes).lowercased(), field.value.string(in: bytes)))
      }
      return AdminRequest(
        method: head.method.string(in: bytes), path: path, query: head.query?.string(in: bytes), headers: headers,
        body: Array(request.body.readableBytesView))
    }
  }

  private func write(_ response: AdminResponse, _ id: RequestID) {
    var notes = localNotes(id)
    notes.framing = .length(response.body.count)
    writeHead(of: response, notes)
    flush()
    answerEnded(closes: false, loop.clock.now())
  }

  private func writeHead(of response: AdminResponse, _ notes: AnswerNotes) {
    var scratch = loop.takeScratch()
    AnswerHead.appendStatus(response.status, date: loop.dateLine(), to: &scratch)
    for (name, value) in response.headers where Self.isSafe(name) && Self.isSafe(value) {
      scratch.append(contentsOf: name.utf8)
      scratch.append(": ")
      scratch.append(contentsOf: value.utf8)
      scratch.append("\r\n")
    }
    notes.append(to: &scratch)
    scratch.append(contentsOf: response.body)
    writeHead(scratch, followedBy: nil)
    loop.giveBack(&scratch)
  }

  /// Nothing that could end a line.
  private static func isSafe(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
  }
}
