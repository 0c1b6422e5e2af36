// The report of a run as files: report.html stands alone, report.md says the same without the charts.
import { writeDocument } from '../write.js';

/**
 * Writes or replaces report.html and report.md of a run folder, finished or not. The bytes depend on the folder alone; what
 * differs between two equal runs is in the section on time.
 * @returns path of report.html
 * @throws UserError where the folder holds no run of the loop, or a file of it is damaged
 */
export async function writeReport(runDir: string): Promise<string> {
  // Charts take longer to load than the rest of this package: only programs that write a report pay for them.
  const { describeRun } = await import('./page.js');
  return writeDocument(runDir, 'report', await describeRun(runDir));
}
