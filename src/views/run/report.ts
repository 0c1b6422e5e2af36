// The report of a run as files: report.html stands alone, report.md says the same without the charts.
import { join } from 'node:path';
import { writeDurable } from '../../run/durable.js';

/**
 * Writes or replaces report.html and report.md of a run folder, finished or not. The bytes depend on the folder alone; what
 * differs between two equal runs is in the section on time.
 * @returns path of report.html
 * @throws UserError where the folder holds no run of the loop, or a file of it is damaged
 */
export async function writeReport(runDir: string): Promise<string> {
  // Charts take longer to load than the rest of this package: only programs that write a report pay for them.
  const [{ describeRun }, { toHtmlPage, toMarkdownFile }] = await Promise.all([
    import('./render.js'),
    import('../../page/document.js'),
  ]);
  const document = await describeRun(runDir);
  const path = join(runDir, 'report.html');
  await writeDurable(path, toHtmlPage(document));
  await writeDurable(join(runDir, 'report.md'), toMarkdownFile(document));
  return path;
}
