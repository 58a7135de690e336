/// The dashboard's style sheet: light and dark by the reader's setting, nothing that moves when motion is unwanted.
enum DashboardStyle {
  static let css = """
    :root { color-scheme: light dark; --bg:#f6f7f9; --card:#fff; --ink:#17202a; --muted:#5c6b7a; --line:#e1e6eb; --accent:#0b6bcb;
      --good:#0a7d45; --warn:#9a6200; --bad:#b3261e; --goodbg:#e2f5ea; --warnbg:#fdf1d8; --badbg:#fde7e5; }
    @media (prefers-color-scheme: dark) { :root { --bg:#0f1419; --card:#171e26; --ink:#e6edf3; --muted:#93a1b0; --line:#2a343f; --accent:#5aa9f5;
      --good:#5ed39a; --warn:#f0b94d; --bad:#ff8f86; --goodbg:#123424; --warnbg:#3a2c0b; --badbg:#421b19; } }
    * { box-sizing:border-box } body { margin:0; background:var(--bg); color:var(--ink); font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif }
    header { display:flex; align-items:center; gap:14px; padding:12px 24px; background:var(--card); border-bottom:1px solid var(--line); position:sticky; top:0; z-index:2 }
    h1 { font-size:18px; margin:0; display:flex; gap:8px; align-items:center } h1 svg { width:24px; fill:none; stroke:var(--accent); stroke-width:2; stroke-linecap:round }
    h2 { font-size:15px; margin:26px 0 10px } h3 { font-size:14px; margin:0 } main { padding:18px 24px 60px; max-width:1500px; margin:auto }
    .grow { flex:1 } .muted { color:var(--muted) } .skip { position:absolute; left:-999px } .skip:focus { left:8px; top:8px; background:var(--card); padding:6px; z-index:3 }
    .chip { border-radius:99px; padding:2px 10px; font-size:12px; font-weight:600; background:var(--line); white-space:nowrap }
    .healthy { background:var(--goodbg); color:var(--good) } .degraded,.cooling,.draining { background:var(--warnbg); color:var(--warn) }
    .unhealthy,.disconnected,.rejected,.down { background:var(--badbg); color:var(--bad) }
    .tiles { display:grid; grid-template-columns:repeat(auto-fit,minmax(100px,1fr)); gap:12px }
    .tile,.chart,.pool { background:var(--card); border:1px solid var(--line); border-radius:10px; padding:12px 14px }
    .tile b { display:block; font-size:21px; font-variant-numeric:tabular-nums; letter-spacing:-.02em } .tile span { color:var(--muted); font-size:12px }
    .charts { display:grid; grid-template-columns:repeat(auto-fit,minmax(250px,1fr)); gap:12px; margin-top:12px }
    .chart svg { width:100%; height:84px; display:block } .chart .row { display:flex; justify-content:space-between; font-size:12px; color:var(--muted) }
    .chart .row b { color:var(--ink); font-variant-numeric:tabular-nums } .area { fill:var(--accent); opacity:.14 } .lineA { fill:none; stroke:var(--accent); stroke-width:2 }
    .lineB { fill:none; stroke:var(--warn); stroke-width:1.5; stroke-dasharray:4 3 }
    .pool { margin-bottom:12px } .pool .head { display:flex; gap:12px; align-items:center; flex-wrap:wrap; margin-bottom:8px }
    table { border-collapse:collapse; width:100% } th { text-align:left; color:var(--muted); font-weight:500; font-size:12px; padding:4px 10px 4px 0; border-bottom:1px solid var(--line) }
    td { padding:5px 10px 5px 0; border-bottom:1px solid var(--line); white-space:nowrap; font-variant-numeric:tabular-nums } tr:last-child td { border-bottom:0 } .n { text-align:right }
    .scroll { overflow-x:auto; background:var(--card); border:1px solid var(--line); border-radius:10px; padding:6px 14px }
    .bar { display:inline-block; width:110px; height:8px; border-radius:4px; background:var(--line); overflow:hidden; vertical-align:middle } .bar i { display:block; height:100%; background:var(--accent) }
    .bar.hot i { background:var(--warn) } .phases { display:flex; width:180px; height:10px; border-radius:3px; overflow:hidden; background:var(--line) } .phases i { display:block; height:100% }
    .p0 { background:#8aa4bd } .p1 { background:#e0a33a } .p2 { background:#a779d8 } .p3 { background:#d8637f } .p4 { background:#3f8fd9 } .p5 { background:#43b58a }
    .legend { display:flex; gap:14px; font-size:12px; color:var(--muted); margin-bottom:6px } .legend i { display:inline-block; width:10px; height:10px; border-radius:2px; margin-right:5px }
    .s2 { color:var(--good) } .s4 { color:var(--warn) } .s5 { color:var(--bad) } form { display:flex; gap:8px; align-items:center } form[hidden] { display:none }
    input,button { font:inherit; padding:4px 8px; border-radius:6px; border:1px solid var(--line); background:var(--bg); color:var(--ink) } button:focus-visible,input:focus-visible { outline:2px solid var(--accent) }
    .empty { color:var(--muted); padding:14px 0 }
    """
}
