internal import NIOCore

/// The life of one answer: bytes that may go out now, the time the next ones are due, and where a fault breaks in.
///
/// States: waiting (first byte not due) → sending ⇄ paced (next token not due) → ended, or broken by a fault at its
/// place. The connection pulls; an exchange never acts by itself. Invariants: the head goes first and once; nothing
/// is produced after `.ended` or `.broken`.
struct Exchange {
  /// What the connection has to do after sending the bytes it was given.
  enum Step: Equatable {
    /// More could follow at once, if the client takes it.
    case more
    /// Nothing before this time.
    case wait(Int64)
    /// Nothing ever again, until the client leaves.
    case stalled
    case ended
    case broken(Break)
  }

  /// How a fault ends an exchange.
  enum Break: Equatable {
    case reset, close
    /// This stream only; all of the connection where it has no streams.
    case resetStream(SimulatorFault.StreamError)
    /// Bytes that no protocol allows, then the end.
    case garbage
  }

  /// Where a fault breaks in, and what then comes.
  private enum Interruption {
    case breakOff(Break)
    case badChunk
    case errorEvent([UInt8])
    case endCleanly
    case pause(Int64?)
  }

  let plan: ExchangePlan
  let framing: ResponseFraming
  let isHead: Bool
  private(set) var sentBytes = 0
  private var script: StreamScript?
  private var whole: [UInt8]?
  private var head: [UInt8]
  private var place: SimulatorFault.Position?
  private var interruption: Interruption?
  private var countsBodyOnly = false
  private var bodyBytes = 0
  private var events = 0
  private var isHeadSent = false
  private var current: Int64 = 0
  private var isScriptDone = false
  /// When the next part is due.
  private var due: Int64
  private var perToken: Int64 = 0

  /// Batches are cut here, so that a fast stream meets the client's back-pressure.
  private static let batchBytes = 32 << 10

  init(_ answer: Answer, _ plan: ExchangePlan, framing: ResponseFraming, isHead: Bool, core: SimulatorCore) {
    self.plan = plan
    self.framing = framing
    self.isHead = isHead
    due = core.now
    var whole: [UInt8]?
    switch answer.content {
    case .whole(let body):
      whole = body
      due += answer.pace?.total ?? 0
    case .stream(let script):
      self.script = script
      due += answer.pace?.firstToken ?? 0
      perToken = answer.pace?.perToken ?? 0
    }
    head = []
    if case .slow(let first, let rate) = plan.fault {
      due += FaultClock.nanoseconds(first)
      if let rate { perToken = World.nanoseconds(milliseconds: 1_000 / rate) }
      if let rate, whole != nil {
        due += World.nanoseconds(milliseconds: 1_000 / rate * Double(answer.pace?.tokens ?? 1))
      }
    }
    (place, interruption) = Self.interruption(plan.fault, answer)
    if case .endCleanly? = interruption {
      countsBodyOnly = true
      if let body = whole { whole = Self.shortened(body, place) }
    }
    self.whole = whole
    head = core.head(answer, length: whole?.count, framing: framing)
    if whole != nil, case .endCleanly? = interruption { interruption = nil }
  }

  private static func interruption(
    _ fault: SimulatorFault.Kind?, _ answer: Answer
  ) -> (SimulatorFault.Position?, Interruption?) {
    switch fault {
    case .reset(let place): (place, .breakOff(.reset))
    case .resetStream(let place, let error): (place, .breakOff(.resetStream(error)))
    case .truncate(let place, clean: true): (place, .endCleanly)
    case .truncate(let place, clean: false): (place, .breakOff(.close))
    case .garbage(.chunk(let events)): (.events(events), .badChunk)
    case .stall(let place, let pause): (place, .pause(pause.map { FaultClock.nanoseconds($0) }))
    case .streamError(let events): (.events(events), .errorEvent(answer.errorEvent))
    default: (nil, nil)
    }
  }

  /// The part of a whole body that a clean truncation leaves.
  private static func shortened(_ body: [UInt8], _ place: SimulatorFault.Position?) -> [UInt8] {
    switch place {
    case .bytes(let count): Array(body.prefix(count))
    case .events(0): []
    default: Array(body.prefix(body.count / 2))
    }
  }

  /// When the first byte is due.
  var start: Int64 { due }

  var hasSentBytes: Bool { sentBytes > 0 }

  // MARK: Producing

  /// Appends what may be sent now.
  mutating func produce(into out: inout ByteBuffer, scratch: inout [UInt8], now: Int64) -> Step {
    current = now
    guard now >= due else { return .wait(due) }
    let before = out.readableBytes
    let step = advance(into: &out, scratch: &scratch, now: now, base: before)
    sentBytes += out.readableBytes - before
    return step
  }

  private mutating func advance(
    into out: inout ByteBuffer, scratch: inout [UInt8], now: Int64, base: Int
  ) -> Step {
    if !isHeadSent {
      isHeadSent = true
      if let step = append(head, into: &out, base: base, isBody: false) { return step }
      if isHead { return .ended }
    }
    if let body = whole {
      if let step = interruptBeforeEvent(into: &out) { return step }
      whole = nil
      events += 1
      if let step = append(body, into: &out, base: base, isBody: true) { return step }
      if let step = interruptBeforeEvent(into: &out) { return step }
      return .ended
    }
    guard script != nil else { return .ended }
    return advanceStream(into: &out, scratch: &scratch, now: now, base: base)
  }

  private mutating func advanceStream(
    into out: inout ByteBuffer, scratch: inout [UInt8], now: Int64, base: Int
  ) -> Step {
    while !isScriptDone {
      if let step = interruptBeforeEvent(into: &out) { return step }
      scratch.removeAll(keepingCapacity: true)
      guard let kind = script?.next(into: &scratch) else {
        isScriptDone = true
        break
      }
      events += 1
      if let step = append(scratch, into: &out, base: base, isBody: true) { return step }
      if kind == .token, perToken > 0 {
        due += perToken
        if due > now { return .wait(due) }
      }
      if out.readableBytes - base >= Self.batchBytes { return .more }
    }
    script = nil
    writeEnd(into: &out)
    return .ended
  }

  private func writeEnd(into out: inout ByteBuffer) {
    if framing.isChunked { out.writeStaticString("0\r\n\r\n") }
  }

  // MARK: Interruptions

  private mutating func interruptBeforeEvent(into out: inout ByteBuffer) -> Step? {
    guard case .events(let limit)? = place, events >= limit else { return nil }
    return interrupt(into: &out)
  }

  private mutating func interrupt(into out: inout ByteBuffer) -> Step? {
    guard let what = interruption else { return nil }
    interruption = nil
    switch what {
    case .breakOff(let end): return .broken(end)
    case .badChunk:
      if framing.isStream { return .broken(.garbage) }
      out.writeStaticString("zz\r\nnot a chunk\r\n")
      return .broken(.close)
    case .errorEvent(let event):
      framing.isChunked ? writeChunk(event[...], into: &out) : write(event, into: &out)
      writeEnd(into: &out)
      return .ended
    case .endCleanly:
      script = nil
      isScriptDone = true
      writeEnd(into: &out)
      return .ended
    case .pause(let time):
      guard let time else { return .stalled }
      due = max(due, current) + time
      return .wait(due)
    }
  }

  /// Appends bytes, or the part of them that lies before the place of a fault.
  private mutating func append(
    _ bytes: [UInt8], into out: inout ByteBuffer, base: Int, isBody: Bool
  ) -> Step? {
    let isChunk = isBody && script != nil && framing.isChunked
    guard case .bytes(let limit)? = place, interruption != nil else {
      isChunk ? writeChunk(bytes[...], into: &out) : write(bytes, into: &out)
      return nil
    }
    if countsBodyOnly {
      guard isBody, bodyBytes + bytes.count > limit else {
        isChunk ? writeChunk(bytes[...], into: &out) : write(bytes, into: &out)
        if isBody { bodyBytes += bytes.count }
        return nil
      }
      let part = bytes.prefix(limit - bodyBytes)
      if !part.isEmpty { isChunk ? writeChunk(part, into: &out) : write(Array(part), into: &out) }
      return interrupt(into: &out)
    }
    return appendUpTo(limit, bytes, isChunk: isChunk, into: &out, base: base)
  }

  /// Bytes are counted as sent. A pause in their middle keeps the rest for later.
  private mutating func appendUpTo(
    _ limit: Int, _ bytes: [UInt8], isChunk: Bool, into out: inout ByteBuffer, base: Int
  ) -> Step? {
    let start = out.writerIndex
    isChunk ? writeChunk(bytes[...], into: &out) : write(bytes, into: &out)
    let total = sentBytes + out.readableBytes - base
    guard total > limit else { return nil }
    if case .pause? = interruption {
      // Cutting in two would need a second buffer; the pause comes right behind this part instead.
      return interrupt(into: &out)
    }
    out.moveWriterIndex(to: max(start, out.writerIndex - (total - limit)))
    return interrupt(into: &out)
  }

  private func write(_ bytes: [UInt8], into out: inout ByteBuffer) {
    out.writeBytes(bytes)
  }

  private func writeChunk(_ bytes: ArraySlice<UInt8>, into out: inout ByteBuffer) {
    var size: [UInt8] = []
    var left = bytes.count
    repeat {
      size.append(JSONWriter.hexDigit(UInt8(left & 15)))
      left >>= 4
    } while left > 0
    for digit in size.reversed() { out.writeInteger(digit) }
    out.writeStaticString("\r\n")
    out.writeBytes(bytes)
    out.writeStaticString("\r\n")
  }
}
