/// What the providers share: the options, the time of the request being answered, and the streams of random numbers.
struct World {
  let options: SimulatorOptions
  let author: Author
  /// Monotonic nanoseconds.
  var now: Int64 = 0
  var unixSeconds: Int64 = 0
  /// Identifiers of requests: unlike identifiers of answers these never repeat.
  var requestIDs: SeededRandom
  private var latency: SeededRandom
  private var profiles: [String: SimulatorModelProfile] = [:]

  private static let maxRememberedProfiles = 1_024

  init(_ options: SimulatorOptions) {
    self.options = options
    author = Author(seed: options.seed, answerTokens: options.answerTokens)
    requestIDs = SeededRandom(seed: options.seed, stream: 1)
    latency = SeededRandom(seed: options.seed, stream: 2)
  }

  mutating func profile(of model: String) -> SimulatorModelProfile {
    if let known = profiles[model] { return known }
    let all = options.profiles + SimulatorModelProfile.builtIn
    let found = all.first { Glob.matches($0.pattern, model) } ?? SimulatorModelProfile(pattern: "*")
    if profiles.count < Self.maxRememberedProfiles { profiles[model] = found }
    return found
  }

  /// Draws the times of one answer.
  mutating func pace(_ profile: SimulatorModelProfile, tokens: Int) -> Pace? {
    guard options.latency == .realistic else { return nil }
    let first = latency.logNormal(median: profile.firstTokenMilliseconds, spread: profile.firstTokenSpread)
    return Pace(
      firstToken: Self.nanoseconds(milliseconds: first),
      perToken: Self.nanoseconds(milliseconds: 1_000 / profile.tokensPerSecond), tokens: tokens)
  }

  /// At least 0 and at most ten minutes, whatever a profile says.
  static func nanoseconds(milliseconds: Double) -> Int64 {
    milliseconds.isFinite ? Int64(min(600_000, max(0, milliseconds)) * 1_000_000) : 600_000_000_000
  }

  /// Whether the key may be used at all.
  func accepts(_ key: String) -> Bool {
    options.keys.map { $0.contains(key) } ?? !key.contains("invalid")
  }

  func serves(_ model: String) -> Bool {
    options.models?.contains(model) ?? true
  }
}
