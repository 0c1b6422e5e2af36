// report.html of a run: reads the folder, asks every section for its part, writes one file that stands alone.
// Leaves what each part says to sections/.
import { join } from 'node:path';
import { writeDurable } from '../run/durable.js';
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

/**
 * Writes or replaces report.html of a run folder, finished or not. The bytes depend on the folder alone; what differs
 * between two equal runs is in the section on time.
 * @returns path of the report
 * @throws UserError where the folder holds no run of the loop, or a file of it is damaged
 */
export async function writeReport(runDir: string): Promise<string> {
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
    const path = join(runDir, 'report.html');
    await writeDurable(path, renderPage({ title: run.name, links, sections }));
    return path;
  } finally {
    tables.close();
  }
}
