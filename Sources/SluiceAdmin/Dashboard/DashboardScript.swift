/// The dashboard's script: polls the admin API once a second and draws. Plain JavaScript, no library.
enum DashboardScript {
  static let javascript = #"""
    "use strict";
    const $ = id => document.getElementById(id);
    const PHASES = ["receive", "queue", "acquire", "connect", "upstream", "translate"];
    const KEEP = 120, history = [];
    let previous = null, token = sessionStorage.getItem("sluice-token") || "", failures = 0;

    function el(name, attributes, ...children) {
      const node = document.createElement(name);
      for (const [key, value] of Object.entries(attributes || {})) key === "text" ? node.textContent = value : node.setAttribute(key, value);
      for (const child of children) node.append(child);
      return node;
    }
    function svg(name, attributes) {
      const node = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
      return node;
    }
    const count = n => n == null ? "–" : n >= 1e6 ? (n / 1e6).toFixed(1) + "M" : n >= 1e4 ? (n / 1e3).toFixed(1) + "k" : String(Math.round(n));
    const rate = n => n == null || !isFinite(n) ? "–" : n >= 100 ? count(n) : n.toFixed(1);
    const ms = n => n == null ? "–" : n >= 1e4 ? (n / 1e3).toFixed(1) + " s" : n >= 10 ? Math.round(n) + " ms" : n.toFixed(1) + " ms";
    const span = s => s >= 86400 ? Math.floor(s / 86400) + " d " + Math.floor(s % 86400 / 3600) + " h" : s >= 3600 ? Math.floor(s / 3600) + " h " + Math.floor(s % 3600 / 60) + " m" : s >= 60 ? Math.floor(s / 60) + " m " + Math.floor(s % 60) + " s" : Math.floor(s) + " s";

    async function read(path) {
      const answer = await fetch(path, { headers: token ? { authorization: "Bearer " + token } : {}, cache: "no-store" });
      if (answer.status === 401) { $("login").hidden = false; throw new Error("admin token needed"); }
      if (!answer.ok) throw new Error(path + ": " + answer.status);
      return answer.json();
    }
    $("login").addEventListener("submit", event => {
      event.preventDefault();
      token = $("token").value; sessionStorage.setItem("sluice-token", token); $("login").hidden = true; tick();
    });

    function sample(overview) {
      const now = performance.now(), r = overview.requests;
      if (previous && r.total >= previous.total) {
        const seconds = (now - previous.at) / 1000;
        history.push({ rps: (r.total - previous.total) / seconds, errors: (r.failed - previous.failed) / seconds,
          tokens: (overview.tokens.output - previous.tokens) / seconds, p50: overview.latency.p50_ms, p95: overview.latency.p95_ms,
          ttft: overview.first_token.p50_ms, streams: r.streams_open, flight: r.in_flight });
        if (history.length > KEEP) history.shift();
      }
      previous = { at: now, total: r.total, failed: r.failed, tokens: overview.tokens.output };
    }
    function tiles(overview) {
      const last = history[history.length - 1] || {}, r = overview.requests;
      const list = [["requests / s", rate(last.rps)], ["in flight", count(r.in_flight)], ["streams open", count(r.streams_open)], ["waiting", count(r.waiting)],
        ["p50", ms(overview.latency.p50_ms)], ["p95", ms(overview.latency.p95_ms)], ["first token p50", ms(overview.first_token.p50_ms)],
        ["tokens out / s", rate(last.tokens)], ["failed", count(r.failed)], ["retried", count(r.retries)]];
      $("tiles").replaceChildren(...list.map(([label, value]) => el("div", { class: "tile" }, el("b", { text: value }), el("span", { text: label }))));
    }
    function chart(title, keyA, format, keyB) {
      const a = history.map(h => h[keyA] || 0), b = keyB ? history.map(h => h[keyB] || 0) : [];
      const top = Math.max(...a, ...b, 1e-9), x = i => (KEEP - a.length + i) * 300 / (KEEP - 1), y = v => 80 - 74 * v / top;
      const path = v => v.map((value, i) => (i ? "L" : "M") + x(i).toFixed(1) + " " + y(value).toFixed(1)).join("");
      const picture = svg("svg", { viewBox: "0 0 300 84", preserveAspectRatio: "none", role: "img", "aria-label": title + ", now " + format(a[a.length - 1]) });
      if (a.length > 1) {
        picture.append(svg("path", { class: "area", d: path(a) + "L300 84L" + x(0).toFixed(1) + " 84Z" }), svg("path", { class: "lineA", d: path(a) }));
        if (keyB) picture.append(svg("path", { class: "lineB", d: path(b) }));
      }
      return el("div", { class: "chart" }, el("div", { class: "row" }, el("span", { text: title }), el("b", { text: format(a[a.length - 1]) })), picture,
        el("div", { class: "row" }, el("span", { text: "2 min" }), el("span", { text: "peak " + format(top) })));
    }
    function bar(used, all) {
      const share = all ? Math.min(1, used / all) : 0, inner = el("i");
      inner.style.width = (share * 100).toFixed(0) + "%";
      return el("span", { class: "bar" + (share > .8 ? " hot" : ""), role: "img", "aria-label": used + " of " + all }, inner);
    }
    function cell(text, kind) { return el("td", kind ? { class: kind, text } : { text }); }
    function endpointRow(e) {
      const busy = el("td", {}, bar(e.leased, e.slots || e.connections_max || 1), " " + e.leased);
      const state = el("td", {}, el("span", { class: "chip " + e.state, text: e.state_detail || e.state }));
      return el("tr", {}, cell(e.name), state, busy, cell(count(e.requests), "n"), cell(count(e.failures), "n"),
        cell(ms(e.latency_ms), "n"), cell(String(e.weight), "n"), cell(e.role), cell(e.origin));
    }
    function poolCard(p) {
      const c = p.connections, head = el("div", { class: "head" }, el("h3", { text: p.name }), el("span", { class: "chip " + p.state, text: p.state }),
        el("span", { class: "muted", text: p.provider + " · " + p.strategy }), el("span", { class: "grow" }),
        el("span", { class: "muted", text: `connections ${c.leased} leased, ${c.idle} idle, ${c.connecting} opening, max ${c.max} · waiting ${p.waiting.total} · opened ${count(c.opened)} · reused ${count(c.reused)}` }));
      const labels = [["endpoint"], ["state"], ["busy"], ["requests", "n"], ["failures", "n"], ["latency", "n"], ["weight", "n"], ["role"], ["origin"]];
      const body = el("tbody", {}, ...p.endpoints.map(endpointRow));
      return el("div", { class: "pool" }, head, el("table", {}, el("thead", {}, el("tr", {}, ...labels.map(([t, k]) => el("th", k ? { class: k, text: t } : { text: t })))), body));
    }
    function requestRow(r) {
      const total = PHASES.reduce((sum, name) => sum + (r.phases_ms[name] || 0), 0) || 1;
      const strip = el("span", { class: "phases", role: "img", "aria-label": PHASES.map(n => n + " " + ms(r.phases_ms[n] || 0)).join(", ") });
      PHASES.forEach((name, i) => { const part = el("i", { class: "p" + i }); part.style.width = 100 * (r.phases_ms[name] || 0) / total + "%"; strip.append(part); });
      return el("tr", {}, cell(new Date(r.time).toLocaleTimeString()), cell(r.model || "–"), cell(r.pool || "–"), cell(r.endpoint || "–"),
        cell(String(r.status), "n s" + String(r.status)[0]), cell(String(r.attempts), "n"), cell(ms(r.duration_ms), "n"), el("td", {}, strip));
    }
    async function tick() {
      try {
        const [overview, pools, requests] = await Promise.all([read("/api/overview"), read("/api/pools"), read("/api/requests?limit=40")]);
        failures = 0; sample(overview); tiles(overview);
        $("status").className = "chip " + overview.state; $("status").textContent = overview.state;
        $("meta").textContent = "version " + overview.version + " · up " + span(overview.uptime_seconds);
        $("charts").replaceChildren(chart("requests per second", "rps", rate, "errors"), chart("latency p50 and p95", "p95", ms, "p50"),
          chart("tokens out per second", "tokens", rate), chart("exchanges in flight", "flight", count, "streams"));
        $("pools").replaceChildren(...(pools.pools.length ? pools.pools.map(poolCard) : [el("div", { class: "empty", text: "No pools are configured." })]));
        $("requests").tBodies[0].replaceChildren(...requests.requests.map(requestRow));
      } catch (error) {
        failures += 1; $("status").className = "chip down"; $("status").textContent = failures > 1 ? "gateway not reachable" : String(error.message);
      }
    }
    $("legend").replaceChildren(...PHASES.map((name, i) => el("span", {}, el("i", { class: "p" + i }), name)));
    tick(); setInterval(() => { if (!document.hidden) tick(); }, 1000);
    """#
}
