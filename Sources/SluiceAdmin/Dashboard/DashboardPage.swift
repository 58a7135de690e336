/// The dashboard: one page with its style and script inside, no outside assets, served under a strict content security policy.
///
/// The page reads `/api/overview`, `/api/pools` and `/api/requests` once a second; it shows nothing that those do not say.
/// Everything it inserts goes through `textContent`, so that no name from outside is ever read as markup.
enum DashboardPage {
  /// The page for one answer; `nonce` must be fresh for each answer and stand in its policy header.
  static func html(nonce: String) -> String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Sluice</title>
    <style nonce="\(nonce)">\(DashboardStyle.css)</style>
    </head>
    <body>
    \(markup)
    <script nonce="\(nonce)">\(DashboardScript.javascript)</script>
    </body>
    </html>
    """
  }

  static func contentSecurityPolicy(nonce: String) -> String {
    "default-src 'none'; script-src 'nonce-\(nonce)'; style-src 'nonce-\(nonce)'; connect-src 'self'; "
      + "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
  }

  private static let markup = """
    <a class="skip" href="#pools">Skip to pools</a>
    <header>
      <h1><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M3 8c3 0 3 2 6 2s3-2 6-2 3 2 6 2M3 14c3 0 3 2 6 2s3-2 6-2 3 2 6 2"/></svg>Sluice</h1>
      <span id="status" class="chip" role="status" aria-live="polite">connecting</span>
      <span class="grow"></span>
      <span id="meta" class="muted"></span>
      <form id="login" hidden><label>Admin token <input id="token" type="password" autocomplete="off"></label><button>Open</button></form>
    </header>
    <main>
      <section class="tiles" aria-label="Live numbers" id="tiles"></section>
      <section class="charts" aria-label="The last two minutes" id="charts"></section>
      <section aria-labelledby="poolsTitle"><h2 id="poolsTitle">Pools</h2><div id="pools"></div></section>
      <section aria-labelledby="requestsTitle"><h2 id="requestsTitle">Recent requests</h2>
        <div class="legend" aria-hidden="true" id="legend"></div>
        <div class="scroll"><table id="requests"><thead><tr><th>time</th><th>model</th><th>pool</th><th>endpoint</th>
        <th class="n">status</th><th class="n">tries</th><th class="n">ms</th><th>phases</th></tr></thead><tbody></tbody></table></div>
      </section>
    </main>
    """
}
