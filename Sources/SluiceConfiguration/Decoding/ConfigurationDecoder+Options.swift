internal import SluiceDialects

extension ConfigurationDecoder {
  /// The provider's own options, each checked to be one of this provider.
  mutating func decodeOptions(_ reader: ObjectReader, provider: Provider?) -> ProviderOptions {
    guard let provider else { return .none }
    let known = provider.options
    for entry in reader.object.entries where !known.contains(where: { $0.name == entry.key }) {
      let names = known.map(\.name).joined(separator: ", ")
      problems.error(
        at: entry.keyPosition,
        "'\(entry.key)' is no option of \(provider.rawValue)"
          + (names.isEmpty ? ", which has none" : "; there are: \(names)"))
    }
    var values: [String: ProviderOptions.Value] = [:]
    for option in known {
      values[option.name] = value(of: option, reader)
    }
    return ProviderOptions(values)
  }

  private func value(of option: ProviderOption, _ reader: ObjectReader) -> ProviderOptions.Value? {
    switch option.kind {
    case .text, .choice: reader.text(option.name).map { .text($0) }
    case .secret: reader.secret(option.name).map { .text($0.reveal()) }
    case .flag: reader.boolean(option.name).map { .flag($0) }
    case .integer: reader.integer(option.name).map { .integer($0) }
    case .textMap: reader.isGiven(option.name) ? .textMap(reader.textMap(option.name)) : nil
    case .textList: reader.texts(option.name).map { .textList($0) }
    }
  }
}
