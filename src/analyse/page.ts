// prm.html: one page that stands alone, with the tables and charts of the analysis of a PRM.
// Leaves what is said to sections.ts and the looks to src/report.
import { curveTable, differenceTable } from '../evaluate/page.js';
import { html, type Markup } from '../report/html.js';
import { renderPage } from '../report/page.js';
import { figure, fold, grid, note, section, table } from '../report/parts.js';
import type { PrmAnalysis } from './analysis.js';
import type { Drawn } from './figures.js';
import type { TextTable } from './rows.js';
import { headLines, sectionsOf, type TextSection } from './sections.js';

export function renderPrmPage(name: string, analysis: PrmAnalysis, figures: readonly Drawn[]): string {
  const sections = sectionsOf(analysis);
  const { about, missing } = headLines(analysis);
  const head = section(
    'about',
    'About',
    about.map((line) => note(line)),
    missing.length > 0 && html`<p>Not here:</p><ul>${missing.map((line) => html`<li>${line}</li>`)}</ul>`,
  );
  return renderPage({
    kind: 'mstar prm',
    title: name,
    links: [['about', 'About'], ...sections.map(({ id, short }) => [id, short] as const)],
    sections: [head, ...sections.map((one) => sectionMarkup(one, figures))],
  });
}

function sectionMarkup(
  { id, title, notes, figures: wanted, tables, folded = [], choosing }: TextSection,
  figures: readonly Drawn[],
): Markup {
  const drawn = figures.filter((one) => wanted.includes(one.id));
  return section(
    id,
    title,
    notes.map((line) => note(line)),
    drawn.length > 0 && grid(...drawn.map((one) => figure(one))),
    tables.map(toMarkup),
    folded.map((one) => fold(one.title, toMarkup(one))),
    choosing && choosing.differences.length > 0 && differenceTable(choosing),
    choosing && choosing.curves.length > 0 && fold('All numbers of N', curveTable(choosing.curves)),
  );
}

function toMarkup({ title, head, rows }: TextTable): Markup {
  return table(title, head, rows);
}
