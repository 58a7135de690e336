internal import SluiceDialects
internal import SluicePolicy

extension ConfigurationSchema {
  static let server: [SchemaField] = [
    SchemaField(
      "listen", .either([.text(.listen), .list(.text(.listen), 1...64)]), default: "127.0.0.1:8080", change: .restart,
      "Where to listen: `HOST:PORT` or `unix:/path`, or a list of them. `*` stands for all addresses, port 0 for any "
        + "free one. Anything wider than loopback needs access keys and an admin token."),
    SchemaField("tls", .object(tls), "Serve HTTPS on the TCP addresses instead of HTTP."),
    SchemaField(
      "admin_token", .secret, "Bearer token for the admin pages. Without it they answer on loopback only. Empty: none."),
    SchemaField(
      "threads", .either([.choice([SchemaChoice("auto")]), .integer(1...1024)]), default: "auto", change: .restart,
      "Event loops. `auto`: one per processor."),
    .later("blocking_threads", "Threads for C libraries that block."),
    SchemaField(
      "max_request_body", .size(1 << 10...1 << 30), default: "32MiB", "Largest body of a request; larger ones get 413."),
    SchemaField(
      "max_buffered", .size(1 << 20...1 << 40), default: "512MiB", profiles: [.testing: "64MiB"], change: .restart,
      "Most memory for the request bodies that are kept for a retry, over the whole process. Beyond it requests get 503."
    ),
    SchemaField(
      "max_head", .size(4 << 10...HTTPLimits.hardMaxHeadBytes), default: "64KiB",
      "Largest head (first line and headers) of a request; larger ones get 431."),
    SchemaField(
      "max_connections", .count(1...1_000_000), default: "20k", change: .restart,
      "Most open client connections; further ones get 503, or over TLS are closed without an answer."),
    SchemaField(
      "hosts", .list(.text(.host), 1...most),
      "Names, beside `localhost` and the address it listens on, by which clients without a key may call the gateway: "
        + "their `host` header has to be one of them."),
    SchemaField(
      "head_timeout", .duration(.milliseconds(100) ... .minutes(10)), default: "10s", change: .nextConnection,
      "How long a client may take to send the head of a request once it has begun."),
    SchemaField(
      "body_timeout", .duration(.milliseconds(100) ... .minutes(60)), default: "30s", change: .nextConnection,
      "How long a client's body may make no progress; then it gets 408."),
    SchemaField(
      "min_body_rate", .size(0...1 << 30), default: "500", change: .nextConnection,
      """
      Bytes a second that a client's body has to come with on the whole, beyond a first `body_timeout`; slower ones get 408. \
      0: any rate will do.
      """),
    SchemaField(
      "idle_timeout", .duration(.seconds(1) ... .hours(24)), default: "75s", change: .nextConnection,
      "How long a client's connection may stay open without a request."),
    SchemaField(
      "drain_timeout", .duration(.zero ... .hours(24)), default: "30s",
      profiles: [.development: "5s", .testing: "1s", .demo: "5s"],
      "How long the exchanges in flight may take to finish at shutdown."),
    SchemaField(
      "keepalive_comment", .duration(.zero ... .minutes(10)), default: "15s",
      "Pause after which a silent stream gets a comment (or ping), so that nothing on the way gives it up. 0s: never."),
  ]

  private static let tls: [SchemaField] = [
    SchemaField(
      "certificate", .text(.path), required: true, change: .restart, "Certificate chain as PEM, own certificate first."),
    SchemaField("private_key", .text(.path), required: true, change: .restart, "Private key as PEM."),
  ]

  static let admission: [SchemaField] = [
    SchemaField(
      "capacity", .count(0...1_000_000), default: "1000",
      "Most requests that wait in the queue of each pool; further ones get 503. 0: nobody waits."),
    SchemaField(
      "timeout", .duration(.milliseconds(1) ... .hours(24)), default: "60s",
      "How long a request may wait in a pool's queue; then it gets 504, or the route's next pool."),
    .later("adaptive", "A limit that follows latency."),
    .later("resources", "Refusing work when the machine is short of processor time or memory."),
  ]

  static let access: [SchemaField] = [
    SchemaField(
      "keys", .list(.object(accessKey), 1...10_000), required: true,
      "The access keys. Clients send them as bearer token.")
  ]

  private static let accessKey: [SchemaField] = [
    SchemaField("name", .text(.name), required: true, "Name in logs and metrics."),
    SchemaField("sha256", .text(.sha256), required: true, "SHA-256 of the key, so that the file does not hold it."),
    SchemaField(
      "class", .choice(PriorityClass.allCases.reversed().map { SchemaChoice($0.label) }), default: "normal",
      "Priority where callers have to wait."),
    SchemaField(
      "models", .list(.text(.pattern), 1...most),
      "The models that this key may use, `*` for any characters. Absent: all."),
    .later("limits", "Requests, tokens and concurrency of this key."),
    .later("budget", "Money this key may spend."),
  ]

  static let route: [SchemaField] = [
    SchemaField("model", .text(.pattern), required: true, "Model name that clients ask for, `*` for any characters."),
    SchemaField(
      "to", .either([.text(.name), .list(.either([.text(.name), .object(target)]), 1...64)]), required: true,
      "The pools that serve it: a name, or a list of names and targets."),
    SchemaField(
      "strategy", .choice([SchemaChoice("fallback"), SchemaChoice("weighted")]), default: "fallback",
      "`fallback`: in order, the next when one cannot serve. `weighted`: the first by weight, then the others."),
    .later("continue", "Go on with a broken text stream on another endpoint."),
  ]

  private static let target: [SchemaField] = [
    SchemaField("pool", .text(.name), required: true, "Name of the pool."),
    SchemaField("model", .text(.label), "Model name to ask the provider for. Absent: the client's."),
    SchemaField("weight", .integer(1...1000), "Share of the load; only with `strategy: weighted`. Absent: 1."),
  ]
}
