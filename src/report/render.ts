// The text of a report: reads the run folder and asks every section for its part.
// Leaves what each part says to sections/ and the file to report.ts.
import type { Markup } from './html.js';
import { renderPage } from './page.js';
import { type RunData, readRun } from './read.js';
import { about } from './sections/about.js';
import { changes } from './sections/changes.js';
import { dynamics } from './sections/dynamics.js';
import { headline } from './sections/headline.js';
import { prm } from './sections/prm.js';
import { samples } from './sections/samples.js';
import { selection } from './sections/selection.js';
import { temperature } from './sections/temperature.js';
import { time } from './sections/time.js';
import { training } from './sections/training.js';
import { Tables } from './tables.js';

type Section = (run: RunData, tables: Tables) => Markup | null | Promise<Markup | null>;

/** In the order of the page: anchor, name in the navigation, content. */
const SECTIONS: readonly (readonly [string, string, Section])[] = [
  ['result', 'Result', headline],
  ['run', 'Run', about],
  ['dynamics', 'Dynamics', dynamics],
  ['temperature', 'Temperature', temperature],
  ['selection', 'Selection', selection],
  ['prm', 'PRM', prm],
  ['samples', 'Samples', samples],
  ['changes', 'Changes', changes],
  ['training', 'Training', training],
  ['time', 'Time', time],
];

/** The whole page. Throws UserError as `writeReport` does. */
export async function renderReport(runDir: string): Promise<string> {
  const run = await readRun(runDir);
  const tables = await Tables.open();
  try {
    const links: [string, string][] = [];
    const sections: Markup[] = [];
    for (const [anchor, name, make] of SECTIONS) {
      const content = await make(run, tables);
      if (!content) continue;
      links.push([anchor, name]);
      sections.push(content);
    }
    return renderPage({ title: run.name, links, sections });
  } finally {
    tables.close();
  }
}
