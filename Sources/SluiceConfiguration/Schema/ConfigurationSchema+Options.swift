internal import SluiceDialects

extension ConfigurationSchema {
  /// The options of all providers; which of them a pool may have follows from its provider.
  static let options: [SchemaField] = {
    var fields: [SchemaField] = []
    var owners: [String: [String]] = [:]
    for provider in Provider.allCases {
      for option in provider.options {
        owners[option.name, default: []].append("For `\(provider.rawValue)`: \(option.summary)")
        guard !fields.contains(where: { $0.name == option.name }) else { continue }
        fields.append(
          SchemaField(
            option.name, type(option.kind), default: option.standard.isEmpty ? nil : option.standard, option.summary))
      }
    }
    for index in fields.indices {
      fields[index].documentation = (owners[fields[index].name] ?? []).joined(separator: " ")
    }
    return fields
  }()

  private static func type(_ kind: ProviderOption.Kind) -> SchemaType {
    switch kind {
    case .text: .text(.label)
    case .secret: .secret
    case .flag: .boolean
    case .integer(let range): .integer(range)
    case .choice(let names): .choice(names.map { SchemaChoice($0) })
    case .textMap: .map(.text(.label))
    case .textList: .list(.text(.label), 1...most)
    }
  }
}
