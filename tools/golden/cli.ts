// `npm run golden -- FOLDER`: compares this build with the outputs of the reference code.
import { parseArgs } from 'node:util';
import { UserError } from '#src/core/errors.js';
import { runProgram } from '../program.js';
import type { Line } from './report.js';
import { runGolden } from './run.js';

const usage = `npm run golden -- FOLDER [--json] [--device cpu|cuda]

Checks this build against a model folder with reference outputs: one line per case and stage, exit code 1 when one differs.
--json prints the report as one JSON document instead.`;

await runProgram(async (args) => {
  const { values, positionals } = parsed(args);
  const [folder, ...more] = positionals;
  const { json = false, help = false, device = 'cpu' } = values;
  if (help) return console.log(usage);
  if (folder === undefined || more.length > 0) throw new UserError(`golden: ${positionals.length} folders, wanted one`);
  if (device !== 'cpu' && device !== 'cuda') throw new UserError(`--device: ${device}, wanted cpu or cuda`);
  const lines = await runGolden(folder, json ? () => {} : (line) => console.log(line), device);
  const failed = lines.filter(({ ok }) => !ok);
  console.log(json ? document(folder, lines, failed) : summary(lines, failed));
  if (failed.length > 0) process.exitCode = 1;
});

function parsed(args: readonly string[]) {
  try {
    const options = { json: { type: 'boolean' }, device: { type: 'string' }, help: { type: 'boolean' } } as const;
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UserError((error as Error).message);
  }
}

function document(folder: string, lines: readonly Line[], failed: readonly Line[]): string {
  const report = { folder, checks: lines.length, failed: failed.length, first: failed[0] ?? null, lines };
  return JSON.stringify(report, null, 2);
}

function summary(lines: readonly Line[], failed: readonly Line[]): string {
  const [first] = failed;
  if (!first) return `all ${lines.length} checks hold`;
  return `${failed.length} of ${lines.length} checks differ, first ${first.place}: ${first.stage}: ${first.note}`;
}
