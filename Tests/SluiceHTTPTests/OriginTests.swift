import SluiceHTTP
import Testing

@Suite struct OriginTests {
  @Test(arguments: [
    ("https://api.openai.com/v1", "https", "api.openai.com", 443, "/v1", "api.openai.com"),
    ("https://api.anthropic.com", "https", "api.anthropic.com", 443, "", "api.anthropic.com"),
    ("HTTP://Example.COM:8080/a/b//", "http", "example.com", 8080, "/a/b", "example.com:8080"),
    ("http://127.0.0.1:11434/", "http", "127.0.0.1", 11434, "", "127.0.0.1:11434"),
    ("http://[::1]:8080/v1", "http", "::1", 8080, "/v1", "[::1]:8080"),
    ("https://[2001:DB8::1]", "https", "2001:db8::1", 443, "", "[2001:db8::1]"),
    ("http://my_host.internal", "http", "my_host.internal", 80, "", "my_host.internal"),
  ])
  func reads(_ url: String, scheme: String, host: String, port: Int, base: String, header: String) throws {
    let origin = try HTTPOrigin(url: url)
    #expect(origin.scheme.rawValue == scheme)
    #expect(origin.host == host)
    #expect(origin.port == port)
    #expect(origin.basePath == base)
    #expect(origin.hostHeader == header)
    #expect((origin.tls != nil) == (scheme == "https"))
  }

  @Test(arguments: [
    ("unix:/run/model.sock", "/run/model.sock", ""),
    ("unix:///run/model.sock", "/run/model.sock", ""),
    ("unix:/run/model.sock:/v1/", "/run/model.sock", "/v1"),
  ])
  func readsUnixSockets(_ url: String, path: String, base: String) throws {
    let origin = try HTTPOrigin(url: url)
    #expect(origin.unixPath == path)
    #expect(origin.basePath == base)
    #expect(origin.hostHeader == "localhost")
    #expect(origin.identity == "unix:\(path)")
  }

  @Test(arguments: [
    ("", HTTPOriginError.Reason.empty),
    ("api.openai.com", .missingScheme),
    ("localhost:8080", .missingScheme),
    ("http:/one-slash", .missingScheme),
    ("ftp://host", .unsupportedScheme("ftp")),
    ("https://key@host/v1", .userInformation),
    ("https://", .missingHost),
    ("https:///v1", .missingHost),
    ("https://:443", .missingHost),
    ("https://ho st", .badHost),
    ("https://-host", .badHost),
    ("https://hö.st", .badHost),
    ("https://::1", .missingHost),
    ("https://fe80::1", .badIPv6),
    ("https://[::1", .badIPv6),
    ("https://[]", .badIPv6),
    ("https://[::g]", .badIPv6),
    ("https://[::1]8080", .badPort("080")),
    ("https://host:", .badPort("")),
    ("https://host:0", .badPort("0")),
    ("https://host:65536", .badPort("65536")),
    ("https://host:8a", .badPort("8a")),
    ("https://host:+80", .badPort("+80")),
    ("https://host:000443", .badPort("000443")),
    ("https://host/v1?key=1", .query),
    ("https://host/v1#top", .fragment),
    ("https://host/a b", .badPath),
    ("https://host/a\r\nx: y", .badPath),
    ("https://host/é", .badPath),
    ("unix:run/model.sock", .relativeSocketPath),
    ("unix://run/model.sock", .relativeSocketPath),
    ("unix:/", .relativeSocketPath),
    ("unix:/a.sock:v1", .badPath),
    ("unix:/" + String(repeating: "a", count: 107), .socketPathTooLong(107)),
  ])
  func refuses(_ url: String, reason: HTTPOriginError.Reason) {
    #expect(throws: HTTPOriginError(url, reason)) { try HTTPOrigin(url: url) }
  }

  @Test func errorsNeverShowWhatStandsBeforeTheHost() {
    let error = #expect(throws: HTTPOriginError.self) { try HTTPOrigin(url: "https://user:secret@host/v1") }
    #expect(error?.description.contains("secret") == false)
    #expect(error?.description.contains("@host/v1") == true)
  }

  @Test func identityTellsConnectionsApartThatMayNotBeShared() throws {
    let proxy = try HTTPProxy(url: "http://user:secret@proxy:3128")
    let origins = [
      try HTTPOrigin(url: "https://host/v1"),
      try HTTPOrigin(url: "http://host:443/v1"),
      try HTTPOrigin(url: "https://host:8443"),
      try HTTPOrigin(url: "https://host", tls: TLSOptions(verify: false)),
      try HTTPOrigin(url: "https://host", tls: TLSOptions(authorityFile: "/ca.pem")),
      try HTTPOrigin(url: "https://host", tls: TLSOptions(serverName: "other")),
      try HTTPOrigin(url: "https://host", proxy: proxy),
    ]
    #expect(Set(origins.map(\.identity)).count == origins.count)
    #expect(try HTTPOrigin(url: "https://HOST:443/v2").identity == origins[0].identity)
    #expect(origins.allSatisfy { !$0.identity.contains("secret") })
  }

  @Test func proxies() throws {
    #expect(try HTTPProxy(url: "http://proxy:3128") == HTTPProxy(host: "proxy", port: 3128))
    #expect(try HTTPProxy(url: "http://u:p@proxy/").credentials == "u:p")
    #expect(throws: HTTPOriginError("socks5://proxy", .proxyScheme("socks5"))) { try HTTPProxy(url: "socks5://proxy") }
    #expect(throws: HTTPOriginError("http://proxy/x", .proxyPath)) { try HTTPProxy(url: "http://proxy/x") }
    #expect(throws: HTTPOriginError("unix:/s", .proxyForUnixSocket)) {
      try HTTPOrigin(url: "unix:/s", proxy: HTTPProxy(host: "proxy", port: 1))
    }
  }

  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("user:pä", "dXNlcjpww6Q="),
  ])
  func base64(_ text: String, encoded: String) {
    #expect(Base64.encoded(Array(text.utf8)) == encoded)
  }
}
