/** The page's own style sheet: light and dark as the reader's system is, and one column on a phone. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #fcfcfb; --card: #ffffff; --ink: #1d2126; --soft: #5b636e; --edge: #e2e4e8;
  --ours: #0b63ce; --form: #7ba7dd; --others: #8a7f72; --met: #16794a; --missed: #c0341d; --quiet: #f1f2f4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171b; --card: #1b1f25; --ink: #e6e9ee; --soft: #a0a9b5; --edge: #303740;
    --ours: #62a8ff; --form: #3f6ea8; --others: #a99c8c; --met: #4fc98a; --missed: #ff7f66; --quiet: #22272e;
  }
}
* { box-sizing: border-box; }
body {
  /* What failed may say so in words that have no end. */
  overflow-wrap: anywhere;
  margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 84rem;
  background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums;
}
h1 { font-size: 1.7rem; margin: 0 0 0.3rem; }
h2 { font-size: 1.3rem; margin: 0; }
h3 { font-size: 1.02rem; margin: 1.6rem 0 0.5rem; }
p { margin: 0.4rem 0; max-width: 70ch; }
a { color: var(--ours); }
.soft { color: var(--soft); font-size: 0.9rem; }
section { margin-top: 2.4rem; }
section.case { border-top: 1px solid var(--edge); padding-top: 1.4rem; }
nav { display: flex; flex-wrap: wrap; gap: 0.3rem 0.9rem; margin-top: 0.8rem; }
.tiles { display: flex; flex-wrap: wrap; gap: 0.8rem; margin: 1rem 0; }
.tile {
  flex: 1 1 9rem; padding: 0.6rem 0.9rem;
  background: var(--card); border: 1px solid var(--edge); border-radius: 0.5rem;
}
.tile b { display: block; font-size: 1.6rem; line-height: 1.2; }
.warning { border-left: 4px solid var(--missed); padding: 0.5rem 0.9rem; background: var(--quiet); max-width: none; }
.good { color: var(--met); } .bad { color: var(--missed); }
.chip { font-weight: 600; white-space: nowrap; }
ul.goals, ul.losses { list-style: none; margin: 0.8rem 0; padding: 0; }
ul.goals li, ul.losses li { border-top: 1px solid var(--edge); padding: 0.45rem 0; }
ul.goals li { display: grid; grid-template-columns: minmax(0, 1fr) 9.5rem 8.5rem 16rem; gap: 0 1rem; align-items: center; }
ul.losses li { display: grid; grid-template-columns: 7rem 1fr 11rem; gap: 0 1rem; align-items: baseline; }
.where { color: var(--soft); font-size: 0.85rem; display: block; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); gap: 0.8rem; }
.plots > div { background: var(--card); border: 1px solid var(--edge); border-radius: 0.5rem; padding: 0.5rem; }
.tables { min-width: 0; }
@media (min-width: 60rem) {
  .group { display: grid; grid-template-columns: 20rem minmax(0, 1fr); gap: 1.5rem; align-items: start; }
  .group .scroll:first-child { margin-top: 0; }
}
svg { display: block; width: 100%; height: auto; }
.scroll { overflow-x: auto; margin: 0.8rem 0; }
table { border-collapse: collapse; font-size: 0.87rem; }
th, td { text-align: right; padding: 0.25rem 0.5rem; border-bottom: 1px solid var(--edge); white-space: nowrap; }
th { color: var(--soft); font-weight: 600; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
td small { color: var(--soft); }
td.reason { text-align: left; color: var(--soft); }
tr.ours td:first-child { color: var(--ours); font-weight: 600; }
@media (max-width: 46rem) {
  body { padding: 1rem 0.8rem 3rem; }
  ul.goals li { grid-template-columns: 1fr auto; }
  ul.goals li > :first-child { grid-column: 1 / -1; }
  ul.goals li > .strip { grid-column: 1 / -1; max-width: 16rem; }
  ul.losses li { grid-template-columns: 6rem 1fr; }
  ul.losses li > :last-child { grid-column: 2; }
  td:first-child, th:first-child { position: sticky; left: 0; background: var(--page); white-space: normal; min-width: 8rem; }
}
@media print { body { max-width: none; } section.case { break-before: page; } }
`;
