import NIOCore
import SluiceDialects
import SluicePolicy
import SluiceRuntime

/// What the head alone decides.
enum Admission {
  case surface(SurfaceMatch, Caller)
  case admin(path: String)
  case refused(GatewayError, Surface, allow: String?)
}

/// From a request to whoever answers it.
extension InboundConnection {
  func admit(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer) -> Admission {
    let gate = RequestGate(head: head, bytes: bytes, peer: peer, configuration: configuration)
    let source = ByteSlice(bytes)
    let path = source[head.path.range]
    let headers = HeaderView(head.headers, in: source)
    let method = ByteSlice.method(head.method, in: bytes)
    guard let match = SurfaceMatcher.match(method: head.method, path: path, headers: headers) else {
      if SurfaceMatcher.allowedMethods(path: path, headers: headers) != nil || path.hasPrefix("/v1/") {
        return unmatched(path, headers)
      }
      return admitAdministrator(gate, method, path)
    }
    switch gate.admitCaller() {
    case .failure(let error): return .refused(error, match.surface, allow: nil)
    case .success(let caller):
      if match.inspected, let error = gate.checkContentType(match.surface) {
        return .refused(error, match.surface, allow: nil)
      }
      return .surface(match.refined(query: head.query.map { source[$0.range] }), caller)
    }
  }

  private func unmatched(_ path: ByteSlice, _ headers: HeaderView) -> Admission {
    guard let allow = SurfaceMatcher.allowedMethods(path: path, headers: headers) else {
      return .refused(GatewayError(.unknownPath), .openai, allow: nil)
    }
    return .refused(GatewayError(.methodNotAllowed), .openai, allow: allow)
  }

  private func admitAdministrator(_ gate: RequestGate, _ method: ByteSlice, _ path: ByteSlice) -> Admission {
    guard let admin = loop.admin, path.count <= 512 else {
      return .refused(GatewayError(.unknownPath), .openai, allow: nil)
    }
    let path = path.string()
    switch admin.match(method: method.string(), path: path) {
    case .unknown: return .refused(GatewayError(.unknownPath), .openai, allow: nil)
    case .methodNotAllowed(let allow): return .refused(GatewayError(.methodNotAllowed), .openai, allow: allow)
    case .found:
      if let error = gate.admitAdministrator() { return .refused(error, .openai, allow: nil) }
      return .admin(path: path)
    case .page:
      if let error = gate.admitPage() { return .refused(error, .openai, allow: nil) }
      return .admin(path: path)
    }
  }

  /// A complete request of a surface.
  func dispatch(_ request: consuming InboundRequest) {
    let operation = request.match.operation
    switch operation {
    case .models, .model, .ollamaTags: return answerModels(request)
    case .ollamaVersion: return answerVersion(request)
    case .native: return dispatchNative(request)
    default: break
    }
    if operation.namesStoredResponse { return dispatchStored(request) }
    switch request.body.withUnsafeReadableBytes({ RequestScanner.scan($0, limits: loop.scanLimits) }) {
    case .failure(let error): refuse(request, Self.error(error))
    case .success(let fields): dispatch(request, fields)
    }
  }

  private func dispatch(_ request: consuming InboundRequest, _ fields: RequestFields) {
    guard let model = request.modelInPath ?? fields.model else {
      return refuse(request, GatewayError(.missingModel, param: "model"))
    }
    if let key = request.caller.key, !configuration.access.keys[key].allows(model: model) {
      return refuse(request, GatewayError(.modelNotAllowed, param: "model"))
    }
    switch loop.resolve(model, request.match.operation) {
    case .refused(let error): refuse(request, error)
    case .route(let route):
      guard !answerTokenCount(request, fields, route) else { return }
      startWherePreviousIs(request, fields, route)
    }
  }

  func start(_ request: consuming InboundRequest, _ fields: RequestFields?, _ route: ModelRoute) {
    let exchange = exchange ?? Exchange(loop: loop)
    self.exchange = exchange
    exchange.begin(request, fields: fields, route: route, connection: self, now: loop.clock.now())
  }

  func refuse(_ request: borrowing InboundRequest, _ error: GatewayError) {
    loop.purse.refund(request.reserved)
    answer(error, surface: request.match.surface, id: request.id, operation: request.match.operation)
  }

  private static func error(_ error: JSONScanError) -> GatewayError {
    switch error.reason {
    case .duplicateModel, .duplicateStream:
      GatewayError(.duplicateField, param: error.reason == .duplicateModel ? "model" : "stream")
    case .modelNotAString, .modelTooLong:
      GatewayError(.malformedRequest, message: "`model` has to be a string of at most 256 bytes.", param: "model")
    case .streamNotABoolean:
      GatewayError(.malformedRequest, message: "`stream` has to be true or false.", param: "stream")
    default:
      GatewayError(
        .invalidJSON, message: "\(GatewayErrorCode.invalidJSON.advice) (\(error.label) at byte \(error.offset))")
    }
  }

  /// An answer of the gateway's own, without any pool.
  func answer(
    _ error: GatewayError, surface: Surface, allow: String? = nil, id: RequestID? = nil, operation: Operation? = nil
  ) {
    phase = .answering
    let now = loop.clock.now()
    let id = id ?? RequestID(loop.nextRandom())
    var scratch = loop.takeScratch()
    AnswerHead.appendError(
      error, surface: surface, allow: allow, hasBody: !isHead, date: loop.dateLine(), notes: localNotes(id),
      to: &scratch)
    writeHead(scratch, followedBy: nil)
    flush()
    let count = scratch.count
    loop.giveBack(&scratch)
    loop.metrics.update(on: loop.id) { $0.rejected[error.code, default: 0] &+= 1 }
    account(id, surface, operation, status: error.status, code: error.code.rawValue, bytesOut: count, now)
    answerEnded(closes: false, now)
  }

  func localNotes(_ id: RequestID) -> AnswerNotes {
    AnswerNotes(
      id: id, pool: nil, endpoint: nil, attempts: 0, phases: nil, framing: .length(0),
      closes: willClose(framing: .none))
  }

  /// Counts a request that no pool was asked for.
  func account(
    _ id: RequestID, _ surface: Surface, _ operation: Operation?, status: Int, code: String, bytesOut: Int,
    _ now: Instant
  ) {
    let start = began ?? now
    loop.metrics.update(on: loop.id) { metrics in
      metrics.withCell(slot: 0, surface: surface) { cell in
        cell.byStatusClass[min(5, max(1, status / 100))] &+= 1
        cell.duration.record(now - start)
        cell.bytesOut &+= UInt64(bytesOut)
      }
    }
    loop.metrics.record(
      RequestRecord(
        id: id, began: start, surface: surface, operation: operation, model: "", pool: "", endpoint: "", caller: "",
        status: status, isStream: false, code: code, duration: now - start, firstToken: .zero,
        phases: PhaseClock(begun: start), counters: ExchangeCounters(), bytesIn: 0, bytesOut: bytesOut, inputTokens: 0,
        outputTokens: 0, isEstimate: false),
      on: loop.id)
  }
}
