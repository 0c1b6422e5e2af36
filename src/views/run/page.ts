// The document of a run: reads its folder and asks every section for its part.
import type { Document } from '../../page/document.js';
import { Tables } from '../../record/tables.js';
import { dynamics, temperature, training } from './course.js';
import { changes, samples } from './problems.js';
import { readRun } from './read.js';
import { about, result, time } from './result.js';
import { prm, selection } from './selection.js';

/** In the order of the page. */
const SECTIONS = [result, about, dynamics, temperature, selection, prm, samples, changes, training, time];

/** Throws UserError as `writeReport` does. */
export async function describeRun(runDir: string): Promise<Document> {
  const run = await readRun(runDir);
  const tables = await Tables.open();
  try {
    const sections = [];
    for (const make of SECTIONS) sections.push(await make(run, tables));
    return { kind: 'mstar run', title: run.name, sections: sections.filter((section) => section !== null) };
  } finally {
    tables.close();
  }
}
