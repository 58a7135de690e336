/// One-off connections beside a pool are for programs that lease from a pool of their own. In the gateway a pool that
/// cannot serve is one that is being removed, and what serves then is the next target of the route.
struct DirectFallbackRefused: Error, CustomStringConvertible {
  let pool: String

  var description: String {
    "pools.\(pool).fallback: `direct` is for programs that use the library; the gateway has no use for it. Leave it out, "
      + "or name a second pool in `routes`."
  }
}
