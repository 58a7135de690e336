import SluiceDialects

/// The JSON form of a fault list, as `PUT /_simulator/faults` and a faults file have it.
///
///     [{"kind": "status", "status": 429, "retry_after": 1, "match": {"provider": "openai", "key": "sk-1*"},
///       "rate": 0.5, "count": 3, "duration": 10}]
///
/// Durations are seconds as numbers, or texts with a unit (`250ms`, `2s`, `1m`). Unknown members are errors.
extension SimulatorFault {
  /// Decodes a list of faults from JSON text.
  public static func decode(json: String) throws(SimulatorError) -> [SimulatorFault] {
    let value: JSONValue
    do { value = try JSONReader.read(Array(json.utf8)) } catch {
      throw SimulatorError(description: "not JSON: \(error.reason) at byte \(error.offset)")
    }
    return try decode(value)
  }

  static func decode(_ value: JSONValue) throws(SimulatorError) -> [SimulatorFault] {
    guard let items = value.array else { throw SimulatorError(description: "expected a list of faults") }
    var faults: [SimulatorFault] = []
    for (index, item) in items.enumerated() {
      var fields = FaultFields(item, index)
      let fault = try fields.fault()
      try fields.finish()
      if let problem = fault.problem() { throw fields.failure(problem) }
      faults.append(fault)
    }
    return faults
  }
}

/// Reads one fault and remembers which members it has looked at.
private struct FaultFields {
  private let value: JSONValue
  private let index: Int
  private var seen: Set<String> = ["kind"]

  init(_ value: JSONValue, _ index: Int) {
    self.value = value
    self.index = index
  }

  func failure(_ text: String) -> SimulatorError {
    SimulatorError(description: "fault \(index): \(text)")
  }

  mutating func fault() throws(SimulatorError) -> SimulatorFault {
    guard value.members != nil else { throw failure("expected an object") }
    guard let label = value["kind"]?.string else { throw failure("kind is missing") }
    var fault = SimulatorFault(try kind(label))
    fault.match = try match()
    if let rate = try number("rate") { fault.rate = rate }
    fault.count = try int("count")
    fault.duration = try duration("duration")
    return fault
  }

  func finish() throws(SimulatorError) {
    for member in value.members ?? [] where !seen.contains(member.name) {
      throw failure("unknown member '\(member.name)' for kind '\(value["kind"]?.string ?? "")'")
    }
  }

  private mutating func kind(_ label: String) throws(SimulatorError) -> SimulatorFault.Kind {
    switch label {
    case "refuse": return .refuse(try mode(.accept))
    case "hang": return .hang(try mode(.request))
    case "reset": return .reset(try position(.bytes(0)))
    case "rst_stream": return .resetStream(try position(.bytes(0)), try choice("error", .internalError))
    case "goaway": return .goAway(try mode(.after))
    case "status":
      guard let code = try int("status") else { throw failure("status is missing") }
      return .status(
        .init(code, retryAfter: try duration("retry_after"), errorCode: try text("code"), message: try text("message")))
    case "slow":
      return .slow(firstByte: try duration("first_byte") ?? .zero, tokensPerSecond: try number("tokens_per_second"))
    case "truncate": return .truncate(try position(.events(1)), clean: try flag("clean") ?? false)
    case "garbage":
      switch try text("mode") ?? "head" {
      case "head": return .garbage(.head)
      case "chunk": return .garbage(.chunk(afterEvents: try int("after_events") ?? 1))
      default: throw failure("mode must be head or chunk")
      }
    case "stall": return .stall(try position(.events(1)), try duration("for"))
    case "stream_error": return .streamError(afterEvents: try int("after_events") ?? 1)
    case "drop": return .drop(after: try duration("after") ?? .zero)
    case "idle_close": return .idleClose(after: try duration("after") ?? .zero)
    case "half_close": return .halfClose
    case "early_close": return .earlyClose(try mode(.afterAnswer))
    default: throw failure("unknown kind '\(label)'")
    }
  }

  private mutating func mode<Mode>(_ usual: Mode) throws(SimulatorError) -> Mode
  where Mode: RawRepresentable & CaseIterable, Mode.RawValue == String {
    try choice("mode", usual)
  }

  private mutating func choice<Choice>(_ member: String, _ usual: Choice) throws(SimulatorError) -> Choice
  where Choice: RawRepresentable & CaseIterable, Choice.RawValue == String {
    guard let name = try text(member) else { return usual }
    guard let choice = Choice(rawValue: name) else {
      throw failure("\(member) must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return choice
  }

  private mutating func position(_ usual: SimulatorFault.Position) throws(SimulatorError) -> SimulatorFault.Position {
    let events = try int("after_events")
    let bytes = try int("after_bytes")
    guard events == nil || bytes == nil else { throw failure("after_events and after_bytes exclude each other") }
    return events.map { .events($0) } ?? bytes.map { .bytes($0) } ?? usual
  }

  private mutating func match() throws(SimulatorError) -> SimulatorFault.Match {
    guard let conditions = member("match") else { return .init() }
    guard let members = conditions.members else { throw failure("match must be an object") }
    var match = SimulatorFault.Match()
    for condition in members {
      guard let text = condition.value.string else { throw failure("match.\(condition.name) must be a string") }
      switch condition.name {
      case "provider": match.provider = text
      case "key": match.key = text
      case "path": match.path = text
      case "model": match.model = text
      default: throw failure("unknown member 'match.\(condition.name)'")
      }
    }
    return match
  }

  // MARK: Members

  private mutating func member(_ name: String) -> JSONValue? {
    seen.insert(name)
    return value.given(name)
  }

  private mutating func text(_ name: String) throws(SimulatorError) -> String? {
    guard let member = member(name) else { return nil }
    guard let text = member.string else { throw failure("\(name) must be a string") }
    return text
  }

  private mutating func flag(_ name: String) throws(SimulatorError) -> Bool? {
    guard let member = member(name) else { return nil }
    guard let flag = member.bool else { throw failure("\(name) must be true or false") }
    return flag
  }

  private mutating func int(_ name: String) throws(SimulatorError) -> Int? {
    guard let member = member(name) else { return nil }
    guard let number = member.int else { throw failure("\(name) must be an integer") }
    return number
  }

  private mutating func number(_ name: String) throws(SimulatorError) -> Double? {
    guard let member = member(name) else { return nil }
    guard let number = member.double else { throw failure("\(name) must be a number") }
    return number
  }

  private mutating func duration(_ name: String) throws(SimulatorError) -> Duration? {
    guard let member = member(name) else { return nil }
    var seconds = member.double
    if let text = member.string {
      let units: [(suffix: String, scale: Double)] = [("ms", 0.001), ("s", 1), ("m", 60)]
      if let unit = units.first(where: { text.hasSuffix($0.suffix) }) {
        seconds = Double(text.dropLast(unit.suffix.count)).map { $0 * unit.scale }
      }
    }
    guard let seconds, seconds >= 0, seconds <= 1_000_000 else {
      throw failure("\(name) must be a number of seconds, or a text such as 250ms, 2s, 1m")
    }
    return .nanoseconds(Int64(seconds * 1_000_000_000))
  }
}
