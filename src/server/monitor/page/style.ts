/** How the live page looks: in one column on a phone, dark where the system is. */
export const STYLE = String.raw`
:root {
  color-scheme: light dark;
  --back: #f6f7f9; --card: #fff; --ink: #1b1f24; --soft: #5c6570; --line: #dfe3e8;
  --in: #1769c4; --out: #0d7f5b; --bad: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #14171b; --card: #1d2126; --ink: #e6e9ed; --soft: #9aa4b0; --line: #30363d;
    --in: #62a8f5; --out: #4fc79d; --bad: #ff8a80;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 15px/1.4 system-ui, sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 12px; }
header { display: flex; flex-wrap: wrap; gap: 4px 14px; align-items: baseline; margin-bottom: 12px; }
h1 { font-size: 20px; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 16px; margin: 0 0 8px; }
.soft { color: var(--soft); }
.bad { color: var(--bad); }
.state::before { content: "\25CF"; margin-right: 5px; color: var(--out); }
.state.bad::before { color: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 10px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 10px 12px; min-width: 0; }
.tiles .value { font-size: 21px; font-variant-numeric: tabular-nums; white-space: nowrap; }
.tiles svg { display: block; width: 100%; height: 26px; margin-top: 4px; }
section { margin-top: 12px; }
section.card > svg { display: block; width: 100%; height: 140px; }
svg polyline { fill: none; stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.in { stroke: var(--in); color: var(--in); }
.out { stroke: var(--out); color: var(--out); }
section .out { stroke-dasharray: 5 3; }
.plain { stroke: var(--soft); }
.legend { display: flex; gap: 14px; font-size: 13px; }
.bar { display: flex; flex-wrap: wrap; gap: 8px; justify-content: space-between; align-items: center; margin-bottom: 8px; }
.bar h2 { margin: 0; }
select { font: inherit; color: inherit; background: var(--back); border: 1px solid var(--line); border-radius: 6px; padding: 4px 6px; max-width: 100%; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 500; font-size: 13px; }
th.n, td.n { text-align: right; white-space: nowrap; }
nav { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 16px 0 8px; }
a { color: var(--in); padding: 4px 0; }
@media (max-width: 720px) {
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tr { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 2px 12px; padding: 8px 0; border-bottom: 1px solid var(--line); }
  td { display: flex; justify-content: space-between; gap: 8px; border: 0; padding: 0; white-space: normal; }
  td.n { text-align: right; white-space: normal; }
  td::before { content: attr(data-name); color: var(--soft); font-size: 13px; white-space: nowrap; }
  td.wide, td.from { grid-column: 1 / -1; }
  td.wide { font-weight: 600; }
}
`;
