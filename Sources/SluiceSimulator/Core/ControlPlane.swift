import SluiceDialects

internal import NIOCore
internal import NIOHTTP1

/// The simulator's own interface, `/_simulator/…`.
enum ControlPlane {
  static let prefix = "/_simulator/"

  static func answer(_ request: SimulatedRequest, _ core: SimulatorCore) -> Answer {
    switch (request.method, String(request.path.dropFirst(prefix.count))) {
    case (.GET, "health"): return .json(200, Array("{\"status\":\"ok\"}".utf8))
    case (.GET, "stats"): return .json(200, Array(core.stats.stats.json.utf8))
    case (.DELETE, "stats"):
      core.stats.reset()
      return .json(200, Array("{\"reset\":true}".utf8))
    case (.GET, "faults"): return .json(200, core.faults.json(now: core.now))
    case (.DELETE, "faults"): return set([], core)
    case (.PUT, "faults"): return put(request, core)
    case (.GET, "http2"): return streams(core)
    case (.PUT, "http2"): return allow(request, core)
    case (_, "health"), (_, "stats"), (_, "faults"), (_, "http2"):
      return failure(405, "this method is not offered here")
    default: return failure(404, "there are health, stats, faults and http2 under /_simulator/")
    }
  }

  private static func put(_ request: SimulatedRequest, _ core: SimulatorCore) -> Answer {
    guard !request.isTooLarge else { return failure(413, "the list is too large") }
    var body = request.body ?? ByteBuffer()
    let text = body.readString(length: body.readableBytes) ?? ""
    do throws(SimulatorError) {
      let faults = try SimulatorFault.decode(json: text)
      for (index, fault) in faults.enumerated() {
        // Unbounded, it would lock out the very request that could lift it.
        guard fault.kind.phase != .accept || fault.duration != nil || fault.count != nil else {
          throw SimulatorError(
            description: "fault \(index): at accept a count or a duration is needed, or nobody could remove it")
        }
      }
      return set(faults, core)
    } catch {
      return failure(400, error.description)
    }
  }

  /// `{"max_concurrent_streams": 10}`: sent to every open connection at once.
  private static func allow(_ request: SimulatedRequest, _ core: SimulatorCore) -> Answer {
    guard !request.isTooLarge, let body = request.body,
      let value = try? JSONReader.read(Array(body.readableBytesView)), value.members?.count == 1,
      let streams = value["max_concurrent_streams"]?.int
    else { return failure(400, "expected {\"max_concurrent_streams\": N}") }
    do throws(SimulatorError) {
      try core.allow(streams: streams)
      return Self.streams(core)
    } catch {
      return failure(400, error.description)
    }
  }

  private static func streams(_ core: SimulatorCore) -> Answer {
    let members: [(String, Int)] = [
      ("max_concurrent_streams", core.maxConcurrentStreams), ("connections", core.sessions.count),
      ("streams", core.sessions.reduce(0) { $0 + $1.openStreams }),
    ]
    let document = JSONValue.object(members.map { JSONMember(name: $0.0, value: .int($0.1)) })
    return .json(200, Array(document.jsonText.utf8))
  }

  private static func set(_ faults: [SimulatorFault], _ core: SimulatorCore) -> Answer {
    do throws(SimulatorError) {
      try core.setFaults(faults)
      return .json(200, core.faults.json(now: core.now))
    } catch {
      return failure(400, error.description)
    }
  }

  private static func failure(_ status: Int, _ message: String) -> Answer {
    var out = JSONWriter(reserving: 128)
    out.raw("{\"error\":")
    out.string(message)
    out.raw("}")
    return .json(status, out.bytes)
  }
}
