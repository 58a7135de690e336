/// Everything a configuration file says, with defaults filled in and variables resolved.
///
/// Comes from a file (`SluiceConfigurationFile`), from discovery (`Discovery`), or is built in code.
public struct SluiceConfiguration: Hashable, Sendable {
  /// Version of the file's format.
  public var version = 1
  /// Where the defaults came from.
  public var profile = Profile.production
  /// The gateway's own side.
  public var server = ServerConfiguration()
  /// Who may use the gateway. Nil: everybody who reaches it.
  public var access: AccessConfiguration?
  /// How many requests may wait for a pool, and for how long.
  public var admission = AdmissionConfiguration()
  /// The pools in the order of the file; names are unique.
  public var pools: [PoolConfiguration] = []
  /// File of models (sizes, abilities, prices) that replaces or adds to the shipped catalogue.
  public var catalogue: String?
  /// The routes in the order of the file.
  public var routes: [RouteConfiguration] = []

  /// A configuration without pools.
  public init() {}

  /// The pool of that name.
  public func pool(named name: String) -> PoolConfiguration? { pools.first { $0.name == name } }
}
