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
    case (_, "health"), (_, "stats"), (_, "faults"): return failure(405, "this method is not offered here")
    default: return failure(404, "there are /_simulator/health, /_simulator/stats and /_simulator/faults")
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
