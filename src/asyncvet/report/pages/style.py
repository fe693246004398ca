"""The style sheet of reports in HTML."""

STYLE = """
:root {
  color-scheme: light dark;
  --text: #1c2128; --dim: #57606a; --ground: #ffffff; --card: #f6f8fa; --line: #d0d7de;
  --critical: #a40e26; --high: #bc4c00; --medium: #7d5c00; --low: #0a5aa8; --pass: #1a7f37; --none: #57606a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e6edf3; --dim: #9aa4af; --ground: #0d1117; --card: #161b22; --line: #30363d;
    --critical: #ff7b72; --high: #ffa657; --medium: #e3b341; --low: #79c0ff; --pass: #56d364; --none: #9aa4af;
  }
}
* { box-sizing: border-box; }
body { max-width: 62rem; margin: 0 auto; padding: 1rem; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.2rem; margin: 1.5rem 0 .5rem; } h3 { font-size: 1rem; margin: 0; }
code, pre { font-family: ui-monospace, monospace; font-size: .88em; }
pre { margin: .25rem 0; padding: .4rem .6rem; overflow-x: auto; background: var(--ground); border: 1px solid var(--line);
  border-radius: .3rem; }
small, .place, .contexts, .filter, dt, footer { color: var(--dim); }
small { display: inline-block; font-size: .85rem; }
a { color: inherit; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .25rem .4rem; text-align: right; border-bottom: 1px solid var(--line); overflow-wrap: normal; }
th:first-child, td:first-child { text-align: left; }
.tiles { display: flex; flex-wrap: wrap; gap: .5rem; padding: 0; list-style: none; }
.tiles li { padding: .3rem .7rem; background: var(--card); border: 1px solid var(--line); border-radius: .4rem; }
.tiles b { font-size: 1.2rem; }
.filter { display: inline-block; min-width: 5rem; }
input + label { margin: 0 .8rem 0 .3rem; white-space: nowrap; }
section > ol > li { margin-bottom: .5rem; } section > ol > li > small { display: block; }
details { margin: .4rem 0; background: var(--card); border: 1px solid var(--line); border-radius: .4rem; }
summary { padding: .5rem .7rem; cursor: pointer; }
.status { display: inline-block; margin-right: .5rem; font-weight: 600; }
.item { margin: 0; padding: 0 .9rem .5rem; display: grid; grid-template-columns: 6rem 1fr; gap: .1rem .5rem; }
.item dd { margin: 0; } .item ul { margin: 0; padding-left: 1.1rem; }
article { margin: .6rem; padding: .6rem .8rem; background: var(--ground); border: 1px solid var(--line);
  border-left-width: .3rem; border-radius: .3rem; }
article p { margin: .35rem 0; }
article.s-critical { border-left-color: var(--critical); } article.s-high { border-left-color: var(--high); }
article.s-medium { border-left-color: var(--medium); } article.s-low { border-left-color: var(--low); }
article:target { outline: 2px solid var(--low); }
.chain { margin: .5rem 0 0; padding: 0; list-style: none; }
.chain li { position: relative; padding: 0 0 .4rem 1.4rem; }
.chain li::before { content: ""; position: absolute; left: .25rem; top: .45rem; width: .6rem; height: .6rem;
  border: 2px solid var(--dim); border-radius: 50%; background: var(--ground); z-index: 1; }
.chain li::after { content: ""; position: absolute; left: .5rem; top: .8rem; bottom: -.5rem; border-left: 2px solid var(--line); }
.chain li:last-child::before { background: var(--critical); border-color: var(--critical); }
.chain li:last-child::after { display: none; }
mark { color: inherit; background: color-mix(in srgb, var(--critical) 20%, transparent); border-radius: .2rem; }
.sink { color: var(--critical); }
.badge { font-size: .8rem; font-weight: 600; padding: 0 .4rem; border: 1px solid; border-radius: 1rem; }
.critical { color: var(--critical); } .high { color: var(--high); } .medium { color: var(--medium); } .low { color: var(--low); }
.pass { color: var(--pass); } .fail { color: var(--critical); } .none { color: var(--none); }
footer { margin-top: 2rem; font-size: .85rem; }
@media (max-width: 36rem) {
  body { padding: .6rem; } .item { grid-template-columns: 1fr; } .item dd { margin-bottom: .3rem; } article { margin: .4rem; }
  th, td { padding: .25rem .2rem; font-size: .85rem; } pre { white-space: pre-wrap; }
}
"""
