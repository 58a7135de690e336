/// The model list.
enum OpenAIModels {
  static func list(_ options: SimulatorOptions) -> [UInt8] {
    var out = JSONWriter(reserving: 1_024)
    out.raw("{\"object\":\"list\",\"data\":")
    out.list(options.models ?? SimulatorModelProfile.openAIModels) { writer, name in write(name, into: &writer) }
    out.raw("}")
    return out.bytes
  }

  static func model(_ name: String) -> [UInt8] {
    var out = JSONWriter(reserving: 128)
    write(name, into: &out)
    return out.bytes
  }

  private static func write(_ name: String, into out: inout JSONWriter) {
    out.raw("{\"id\":")
    out.string(name)
    out.raw(",\"object\":\"model\",\"created\":1783000000,\"owned_by\":\"system\"}")
  }
}
