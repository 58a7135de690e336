package import SluiceDialects

/// A model server that might be running on this machine.
package struct LocalServer: Hashable, Sendable {
  /// Name of the pool it becomes.
  package var name: String
  package var title: String
  /// OpenAI-compatible base URL, with `/v1`. `GET` on its `/models` is a good question to ask.
  package var baseURL: String
  /// Which kind it is, as the option `server` says it.
  package var kind: String
  /// What its model list contains; others than it may listen on the same port.
  package var mark: String
}

/// A pool that the environment suggests.
package struct DiscoveredPool: Hashable, Sendable {
  package var name: String
  package var provider: Provider
  /// Values as they are to stand in a file: variables stay variables, so no secret is in here.
  package var baseURL: String?
  package var organization: String?
  package var project: String?
  package var key: String?
  /// Options of the provider.
  package var options: [String: String] = [:]
  package var authentication: EndpointConfiguration.Authentication?
  /// Why it is here.
  package var reason: String
}

/// Finds pools without a configuration file: by the variables that the providers' own SDKs read, and by asking for model
/// servers on their usual ports.
package enum Discovery {
  /// Asks whether somebody speaks the OpenAI API at a base URL; has to answer within a short time of its own.
  package typealias Probe = @Sendable (LocalServer) async -> Bool

  /// The pools that the environment suggests, those with keys first.
  package static func pools(
    environment: [String: String], files: FileAccess = .system, probe: Probe
  ) async -> [DiscoveredPool] {
    var pools = Provider.implemented.compactMap { pool($0, environment) ?? awsPool($0, environment, files) }
    for server in localServers(environment: environment) where await probe(server) {
      pools.append(
        DiscoveredPool(
          name: server.name, provider: .local, baseURL: server.baseURL, options: ["server": server.kind],
          reason: "\(server.title) answers at \(server.baseURL)"))
    }
    return pools
  }

  /// The configuration that the environment suggests. Fails if there is nothing, or with what is wrong about it.
  package static func configuration(
    options: LoadOptions, probe: Probe
  ) async -> Result<LoadedConfiguration, ConfigurationProblems> {
    let pools = await pools(environment: options.environment, files: options.files, probe: probe)
    guard !pools.isEmpty else {
      let position = SourcePosition(.environment("OPENAI_API_KEY"))
      return .failure(
        ConfigurationProblems([
          ConfigurationProblem(
            at: position,
            "nothing to serve: there is no configuration file, no API key in the environment (OPENAI_API_KEY, "
              + "ANTHROPIC_API_KEY, GEMINI_API_KEY and the like) and no model server on this machine; 'sluice init' writes a file to start from"
          )
        ]))
    }
    return SluiceConfigurationFile.load(text: Starter.render(pools), name: "discovered", options: options)
  }

  /// Who might be running here: Ollama (also where `OLLAMA_HOST` says), llama.cpp, vLLM.
  package static func localServers(environment: [String: String]) -> [LocalServer] {
    let ollama = OllamaHost.baseURL(environment["OLLAMA_HOST"]) ?? "http://127.0.0.1:11434"
    return [
      LocalServer(name: "ollama", title: "Ollama", baseURL: ollama + "/v1", kind: "ollama", mark: ""),
      LocalServer(
        name: "llamacpp", title: "llama.cpp", baseURL: "http://127.0.0.1:8080/v1", kind: "llamacpp", mark: "llamacpp"),
      LocalServer(name: "vllm", title: "vLLM", baseURL: "http://127.0.0.1:8000/v1", kind: "vllm", mark: "vllm"),
    ]
  }

  /// As in the SDKs, an API key wins over a token.
  private static func pool(_ provider: Provider, _ environment: [String: String]) -> DiscoveredPool? {
    guard let names = (try? ProviderDialect(provider))?.environment else { return nil }
    let key = names.keys.first { isSet($0, environment) }
    let token = names.bearerTokens.first { isSet($0, environment) }
    guard let name = provider == .bedrock ? token : key ?? token else { return nil }
    var pool = DiscoveredPool(
      name: provider.rawValue, provider: provider, baseURL: variable(names.baseURL, environment),
      organization: variable(names.organization, environment), project: variable(names.project, environment),
      key: "${\(name)}", authentication: key == nil ? .bearer : nil, reason: "\(name) is set")
    if provider == .bedrock { pool.options = region(environment) }
    for (option, variable) in names.options where isSet(variable, environment) {
      pool.options[option] = "${\(variable)}"
    }
    // Without an address there is nobody to talk to; Bedrock's follows from the region.
    let isReachable =
      pool.baseURL != nil || provider == .bedrock || (try? ProviderDialect(provider))?.baseURL.isEmpty == false
    return isReachable ? pool : nil
  }

  /// AWS's credentials are found again by the pool itself, in their own places, so that those that end are renewed. An
  /// instance's role alone makes no pool: only asking would show it, and not every instance is meant to use Bedrock.
  private static func awsPool(
    _ provider: Provider, _ environment: [String: String], _ files: FileAccess
  ) -> DiscoveredPool? {
    guard provider == .bedrock else { return nil }
    var pool = DiscoveredPool(
      name: provider.rawValue, provider: provider,
      baseURL: variable("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", environment), options: region(environment), reason: "")
    for source in AWSCredentialPlan(options: .none, environment: environment).sources {
      switch source {
      case .fixed: pool.reason = "AWS_ACCESS_KEY_ID is set"
      case .metadata(.container): pool.reason = "the container has a role (AWS_CONTAINER_CREDENTIALS_…)"
      case .files(let source):
        guard case .found = AWSFiles.find(source, files) else { continue }
        pool.reason = "the AWS profile '\(source.profile)' has credentials"
        if pool.options["region"] == nil { pool.options["region"] = AWSFiles.region(source, files) }
      case .refused, .metadata(.instance): continue
      }
      return pool
    }
    return nil
  }

  private static func region(_ environment: [String: String]) -> [String: String] {
    let name = ["AWS_REGION", "AWS_DEFAULT_REGION"].first { isSet($0, environment) }
    return name.map { ["region": "${\($0)}"] } ?? [:]
  }

  private static func isSet(_ name: String, _ environment: [String: String]) -> Bool {
    !(environment[name] ?? "").isEmpty
  }

  private static func variable(_ name: String?, _ environment: [String: String]) -> String? {
    name.flatMap { isSet($0, environment) ? "${\($0)}" : nil }
  }
}

/// `OLLAMA_HOST`: scheme, port and path may be left out; the port is then 11434, or the scheme's if there is one.
enum OllamaHost {
  static func baseURL(_ text: String?) -> String? {
    guard let text, !text.isEmpty else { return nil }
    if text.contains("://") { return BaseURL(text)?.description }
    guard let url = BaseURL("http://" + text) else { return nil }
    let hasPort = text.split(separator: "/").first.map { $0.contains(":") && !$0.hasSuffix("]") } ?? false
    let host = url.host == "0.0.0.0" ? "127.0.0.1" : url.host
    let name = host.contains(":") ? "[\(host)]" : host
    return BaseURL("http://\(name):\(hasPort ? url.port : 11_434)\(url.path)")?.description
  }
}
