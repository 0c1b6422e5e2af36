// report.html of a run: one file that stands alone.
// Leaves its text to render.ts.
import { join } from 'node:path';
import { writeDurable } from '../run/durable.js';

/**
 * Writes or replaces report.html of a run folder, finished or not. The bytes depend on the folder alone; what differs
 * between two equal runs is in the section on time.
 * @returns path of the report
 * @throws UserError where the folder holds no run of the loop, or a file of it is damaged
 */
export async function writeReport(runDir: string): Promise<string> {
  // Charts take longer to load than the rest of this package: only programs that write a report pay for them.
  const { renderReport } = await import('./render.js');
  const path = join(runDir, 'report.html');
  await writeDurable(path, await renderReport(runDir));
  return path;
}
