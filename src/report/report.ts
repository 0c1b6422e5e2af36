// report.html of a run: reads the folder, asks every section for its part, writes one file that stands alone.
// Leaves what each part says to sections/.
import { join } from 'node:path';
import { writeDurable } from '../run/durable.js';
import { renderPage } from './page.js';
import { readRun } from './read.js';
import { about } from './sections/about.js';
import { dynamics } from './sections/dynamics.js';
import { headline } from './sections/headline.js';
import { prm } from './sections/prm.js';
import { samples } from './sections/samples.js';
import { selection } from './sections/selection.js';
import { temperature } from './sections/temperature.js';
import { time } from './sections/time.js';
import { training } from './sections/training.js';
import { Tables } from './tables.js';

const LINKS = [
  ['result', 'Result'],
  ['run', 'Run'],
  ['dynamics', 'Dynamics'],
  ['temperature', 'Temperature'],
  ['selection', 'Selection'],
  ['prm', 'PRM'],
  ['samples', 'Samples'],
  ['training', 'Training'],
  ['time', 'Time'],
] as const;

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
    const sections = [
      await headline(run, tables),
      about(run),
      dynamics(run),
      temperature(run),
      await selection(run, tables),
      await prm(run, tables),
      await samples(run, tables),
      training(run),
      time(run),
    ];
    const path = join(runDir, 'report.html');
    await writeDurable(path, renderPage({ title: run.name, links: LINKS, sections }));
    return path;
  } finally {
    tables.close();
  }
}
