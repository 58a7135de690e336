internal import SluiceDialects
internal import SluicePolicy

extension ConfigurationSchema {
  static let pool: [SchemaField] = [
    SchemaField(
      "provider", .choice(Provider.allCases.map { SchemaChoice($0.rawValue, later: !$0.isImplemented) }),
      required: true, change: .live, "The protocol that the endpoints speak."),
    SchemaField(
      "base_url", .text(.url),
      "Where the provider is, as its own SDK takes it: with `/v1` for `openai`, without for `anthropic`. Absent: the "
        + "provider's own (`https://api.openai.com/v1`, `https://api.anthropic.com`)."),
    SchemaField("organization", .text(.token), "OpenAI organisation of all keys that name none."),
    SchemaField("project", .text(.token), "OpenAI project of all keys that name none."),
    SchemaField(
      "keys", keys,
      "The credentials: each a text, or a mapping with more to say. May be absent only with an own `base_url`, "
        + "for servers that want none, and for `bedrock`, whose credentials are then found where AWS's own tools have them."
    ),
    SchemaField(
      "endpoints", .list(.object(endpoint), 1...256),
      "Several URLs or regions instead of one `base_url`; each URL with each key is an endpoint (at most 256)."),
    SchemaField("balance", .object(balance), "How an endpoint is chosen."),
    SchemaField("connections", .object(connections), "How many connections, and for how long."),
    SchemaField("timeouts", .object(timeouts), "The clocks of an exchange."),
    SchemaField("retry", .object(retry), "When a failed request is tried again."),
    SchemaField("health", .object(health), "When an endpoint is taken out, and how it comes back."),
    SchemaField("heartbeat", .object(heartbeat), "How warm paths are kept and proven while nobody uses them."),
    SchemaField(
      "proxy", .text(.proxy), change: .nextConnection, "HTTP proxy on the way to the provider (CONNECT for https)."),
    SchemaField(
      "tls_verify", .boolean, default: "true", change: .nextConnection,
      "Check the provider's certificate. `false` is logged as a warning."),
    SchemaField(
      "tls_ca", .text(.path), change: .nextConnection, "Certificate authorities (PEM) to trust instead of the system's."
    ),
    SchemaField(
      "fallback", .choice([SchemaChoice("none"), SchemaChoice("direct")]), default: "none",
      "`direct`: open a connection for one request when the pool itself cannot serve. For programs that use the library; "
        + "`sluice serve` refuses it."),
    SchemaField(
      "models", .list(.text(.pattern), 1...most),
      "The models that this pool serves, `*` for any characters. Absent: all."),
    SchemaField("options", .object(options), "What only this provider has; see the list of each provider."),
    .later("limits", "Requests, tokens and concurrency per key."),
    .later("hedge", "A second request when the first is slow."),
    .later("autoscale", "Connections by utilisation."),
    .later("coalesce", "One upstream call for identical requests in flight."),
    .later("batch", "Several embeddings in one call."),
    .later("lanes", "Slots and limits of their own for bulk operations."),
  ]

  private static let keys = SchemaType.list(.either([.secret, .object(key)]), 1...256)

  private static let key: [SchemaField] = [
    SchemaField("name", .text(.name), "Name of the endpoint in metrics and headers. Absent: `key1`, `key2`, …"),
    SchemaField("key", .secret, required: true, "The credential itself, best as `${VAR}` or `${file:PATH}`."),
    SchemaField("organization", .text(.token), "OpenAI organisation of this key. Absent: the pool's."),
    SchemaField("project", .text(.token), "OpenAI project of this key. Absent: the pool's."),
    SchemaField(
      "auth", .choice([SchemaChoice("auto"), SchemaChoice("api_key"), SchemaChoice("bearer")]), default: "auto",
      "How it is sent. `auto`: as an API key where the provider has a header for it, else as bearer token."),
    SchemaField("weight", .integer(1...1000), default: "1", "Share of the load relative to the other keys."),
    SchemaField(
      "role", .choice([SchemaChoice("primary"), SchemaChoice("backup")]), default: "primary",
      "`backup` serves only while no primary key can."),
    .later("limits", "Requests, tokens and concurrency of this key."),
  ]

  private static let endpoint: [SchemaField] = [
    SchemaField("url", .text(.url), required: true, "Base URL, as for `base_url`."),
    SchemaField(
      "region", .text(.name),
      "Region of this URL, also in front of the key's name. With two or more, the nearest by measured connect time serves "
        + "and the next one while it cannot; see `balance.region_hold`. Absent with several: `url1`, `url2`, …"),
    SchemaField("keys", keys, "Credentials of this URL. Absent: the pool's."),
  ]

  private static let balance: [SchemaField] = [
    SchemaField(
      "strategy",
      .choice(
        BalanceStrategy.allCases.map { SchemaChoice($0.rawValue) }
          + [
            "weighted_round_robin", "health_based", "performance_based", "random", "least_recently_used",
          ].map { SchemaChoice($0, later: true) }),
      default: "power_of_two",
      "`power_of_two` compares two endpoints by latency and load, `least_connections` takes the least busy one, "
        + "`round_robin` goes round."),
    SchemaField(
      "affinity",
      .choice(
        PoolConfiguration.Affinity.allCases.map { SchemaChoice($0.rawValue) }
          + [SchemaChoice("module_pair", later: true)]),
      default: "header",
      "What keeps related requests on one endpoint, as long as it is about as good as the others: `header` what clients "
        + "send as `x-sluice-affinity`, `user` also the body's `user`, `prompt_prefix` also the beginning of the prompt, "
        + "`none` nothing. Counts with `strategy: power_of_two` only."),
    SchemaField(
      "region_hold", .duration(.milliseconds(10) ... .hours(24)), default: "1m",
      profiles: [.testing: "1s", .demo: "10s"],
      "A region that was out serves again once it has been well for so long. Counts with endpoints in two regions or more."
    ),
  ]

  private static let connections: [SchemaField] = [
    SchemaField("min", .integer(0...100_000), default: "0", "Connections kept open to each base URL."),
    SchemaField(
      "max", .integer(1...100_000), default: "50", profiles: [.development: "10", .testing: "8"],
      "Most connections to one base URL. Its default is never more than `pool_max`."),
    SchemaField(
      "pool_max", .integer(1...100_000), default: "200", profiles: [.development: "40", .testing: "16"],
      "Most connections of the pool. Its default is never less than `max`."),
    SchemaField(
      "keep_warm", .duration(.zero ... .hours(24 * 30)), default: "24h",
      profiles: [.development: "10m", .testing: "0s", .demo: "1h"],
      "One checked connection stays open for so long after the last use. 0s: none."),
    SchemaField(
      "reconnect_delay", .duration(.milliseconds(1) ... .minutes(1)), default: "1s",
      profiles: [.testing: "50ms", .demo: "250ms"],
      "First pause after a connection could not be opened; doubles up to a minute."),
    SchemaField(
      "idle_timeout", .duration(.milliseconds(100) ... .hours(24)), default: "5m",
      "A connection that was not needed for so long is closed."),
    SchemaField(
      "max_age", .duration(.seconds(1) ... .hours(24 * 30)), default: "30m", "A connection is replaced at this age."),
    SchemaField(
      "keepalive", .duration(.zero ... .hours(2)), default: "30s", change: .nextConnection,
      "TCP keep-alive after so much silence. 0s: none."),
    SchemaField(
      "connect_timeout", .duration(.milliseconds(10) ... .minutes(5)), default: "5s", profiles: [.testing: "2s"],
      change: .nextConnection, "One deadline over name look-up, TCP, TLS and the HTTP/2 settings."),
    SchemaField(
      "protocol", .choice(["auto", "http1", "http2"].map { SchemaChoice($0) }), default: "auto",
      change: .nextConnection,
      """
      Protocol to the provider. `auto`: HTTP/2 where TLS finds that the provider speaks it, else HTTP/1.1. `http2`: \
      nothing else, and without TLS by prior knowledge.
      """),
  ]

  private static let timeouts: [SchemaField] = [
    SchemaField(
      "first_byte", .duration(.milliseconds(1) ... .hours(24)),
      """
      How long the provider may take until the first byte of an answer that is not streamed. Absent: three times what 995 \
      of 1,000 answers took to begin, by model and size of the prompt, at least 60 s; as long as `total` while less than \
      20 such answers are known.
      """
    ),
    SchemaField(
      "first_token", .duration(.milliseconds(1) ... .hours(24)),
      """
      How long it may take until the first token of a stream. Absent: 120 s and 1 s more per 1,000 tokens of the prompt, \
      or three times what 995 of 1,000 streams took, whichever is longer.
      """),
    SchemaField(
      "between_bytes", .duration(.milliseconds(1) ... .hours(24)), default: "30s",
      "How long a stream may be silent once it has begun."),
    SchemaField(
      "total", .duration(.milliseconds(1) ... .hours(24)), default: "10m", profiles: [.testing: "1m"],
      "How long the whole exchange may take, all tries included."),
  ]

  private static let retry: [SchemaField] = [
    SchemaField("attempts", .integer(1...16), default: "3", "Tries in this pool, the first included. 1: no retry."),
    SchemaField(
      "budget", .percentage(0...1), default: "20%", "Retries allowed in relation to requests, besides a few per second."
    ),
  ]

  private static let heartbeat: [SchemaField] = [
    SchemaField(
      "interval",
      .either([.choice([SchemaChoice("auto"), SchemaChoice("off")]), .duration(.seconds(1) ... .hours(24))]),
      default: "auto",
      """
      Silence after which a free call is made on the connection that is kept warm, for `keep_warm` after the last use \
      (or as long as there is a `min`). Traffic proves a path by itself. `auto`: 300 s, or less where the provider \
      closes idle connections sooner or something on the way was found to forget them; never less than 5 s. `off`: none.
      """)
  ]

  private static let health: [SchemaField] = [
    SchemaField(
      "interval", .duration(.milliseconds(10) ... .hours(24)), default: "30s", profiles: [.testing: "1s", .demo: "5s"],
      "Pause between checks of an endpoint that is out, or idle after use."),
    SchemaField(
      "timeout", .duration(.milliseconds(10) ... .minutes(10)), default: "5s", profiles: [.testing: "2s"],
      "How long a check may take."),
    SchemaField(
      "unhealthy_after", .integer(1...1000), default: "3", "Failures in a row that take an endpoint out."),
    SchemaField("healthy_after", .integer(1...1000), default: "2", "Successes in a row that bring it back."),
  ]
}
