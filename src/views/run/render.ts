// The document of a run: reads its folder and asks every section for its part.
import type { Document } from '../../page/document.js';
import type { Section } from '../../page/parts.js';
import { Tables } from '../../record/tables.js';
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

type Make = (run: RunData, tables: Tables) => Section | null | Promise<Section | null>;

/** In the order of the page. */
const SECTIONS: readonly Make[] = [
  headline,
  about,
  dynamics,
  temperature,
  selection,
  prm,
  samples,
  changes,
  training,
  time,
];

/** Throws UserError as `writeReport` does. */
export async function describeRun(runDir: string): Promise<Document> {
  const run = await readRun(runDir);
  const tables = await Tables.open();
  try {
    const sections: Section[] = [];
    for (const make of SECTIONS) {
      const section = await make(run, tables);
      if (section) sections.push(section);
    }
    return { kind: 'mstar run', title: run.name, sections };
  } finally {
    tables.close();
  }
}
