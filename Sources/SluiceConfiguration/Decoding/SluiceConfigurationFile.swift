/// How a configuration is to be read.
package struct LoadOptions: Sendable {
  package var environment: [String: String]
  /// Listening wider than loopback without keys and token was asked for.
  package var insecure = false
  /// Addresses from the command line, in place of `server.listen`.
  package var listen: [String] = []
  package var files = FileAccess.system
  /// Relative paths start here. The file's own directory if it is nil.
  package var directory: String?
  /// Whether variables `SLUICE_…` override values.
  package var overrides = true

  package init(environment: [String: String], insecure: Bool = false, listen: [String] = []) {
    self.environment = environment
    self.insecure = insecure
    self.listen = listen
  }
}

/// A configuration that may be used.
public struct LoadedConfiguration: Sendable {
  /// The configuration.
  public var configuration: SluiceConfiguration
  /// What is worth a look, sorted by place.
  public var warnings: [ConfigurationProblem]
  /// The file it came from, or nil.
  public var path: String?
  /// Other files it depends on (certificates, secrets); absolute, or relative to the working directory.
  public var dependencies: [String]
}

/// Reads configuration files.
///
/// The way from text to `SluiceConfiguration`: bounds and syntax (`DocumentParser`), overrides from the environment
/// (`EnvironmentOverrides`), keys, types, ranges and variables against the schema (`SchemaValidator`), and what shows
/// only between values (`ConfigurationDecoder`). Each stage goes on after a problem, so that one run reports all of them.
package enum SluiceConfigurationFile {
  package static func load(path: String, options: LoadOptions) -> Result<LoadedConfiguration, ConfigurationProblems> {
    func failure(_ message: String) -> Result<LoadedConfiguration, ConfigurationProblems> {
      let start = SourcePosition(file: path, line: 1, column: 1)
      return .failure(ConfigurationProblems([ConfigurationProblem(at: start, message)]))
    }
    switch options.files.read(path, DocumentLimits().bytes) {
    case .failure(let problem):
      return failure("the file \(problem.message)")
    case .success(let bytes):
      guard let text = String(validating: bytes, as: UTF8.self) else { return failure("the file is not UTF-8 text") }
      var options = options
      options.directory = options.directory ?? FileAccess.directory(of: path)
      return load(text: text, name: path, options: options).map { loaded in
        var loaded = loaded
        loaded.path = path
        return loaded
      }
    }
  }

  package static func load(
    text: String, name: String, options: LoadOptions
  ) -> Result<LoadedConfiguration, ConfigurationProblems> {
    var problems = ProblemList()
    guard var document = DocumentParser.parse(text, file: name, problems: &problems) else {
      return .failure(ConfigurationProblems(problems.sorted))
    }
    if document.isNull { document.content = .mapping([]) }
    var defaults: [String: SettingNode.Content] = [:]
    if options.overrides {
      var overrides = EnvironmentOverrides(environment: options.environment, problems: problems)
      overrides.apply(to: &document)
      (problems, defaults) = (overrides.problems, overrides.defaults)
    }
    setListen(options.listen, in: &document)
    let directory = options.directory ?? ""
    let interpolator = Interpolator(environment: options.environment, files: options.files, directory: directory)
    var validator = SchemaValidator(
      interpolator: interpolator, files: options.files, directory: directory, problems: problems)
    let object = validator.object(document, fields: ConfigurationSchema.root)
    let context = DecodingContext(profile: profile(of: object), defaults: defaults)
    let root = ObjectReader(object, prefix: "", at: document.position, context: context)
    var decoder = ConfigurationDecoder(
      options: .init(insecure: options.insecure, environment: options.environment, files: options.files),
      problems: validator.problems)
    let configuration = decoder.decode(root)
    let sorted = decoder.problems.sorted
    guard !decoder.problems.hasErrors else { return .failure(ConfigurationProblems(sorted)) }
    return .success(
      LoadedConfiguration(
        configuration: configuration, warnings: sorted, path: nil, dependencies: validator.mentionedFiles))
  }

  private static func profile(of object: SettingObject) -> Profile {
    if case .text(let name)? = object["profile"]?.content { return Profile(rawValue: name) ?? .production }
    return .production
  }

  private static func setListen(_ addresses: [String], in document: inout DocumentNode) {
    guard !addresses.isEmpty else { return }
    let position = SourcePosition(.option("--listen"))
    let items = addresses.map { DocumentNode(.scalar(.init(text: $0, style: .literal)), at: position) }
    let empty = DocumentNode.Scalar(text: "", style: .literal)
    // The place is made first, then filled; a file whose `server` is not a mapping is reported as such.
    guard document.set(["server", "listen"], to: empty, at: position), case .mapping(var top) = document.content,
      let server = top.firstIndex(where: { $0.key == "server" }),
      case .mapping(var entries) = top[server].value.content,
      let listen = entries.firstIndex(where: { $0.key == "listen" })
    else { return }
    entries[listen].value = DocumentNode(.sequence(items), at: position)
    top[server].value.content = .mapping(entries)
    document.content = .mapping(top)
  }
}
