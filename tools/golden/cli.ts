// `npm run golden -- FOLDER`: compares this build with the outputs of the reference code.
import { parseArgs } from 'node:util';
import { UserError } from '#src/core/errors.js';
import { runProgram } from '../program.js';
import type { Line } from './report.js';
import { runGolden } from './run.js';

const usage = `npm run golden -- FOLDER [--json] [--device cpu|cuda] [--dtype float32|bfloat16]

Checks this build against a model folder with reference outputs: one line per case and stage, exit code 1 when one differs.
In bfloat16 numbers may be off by a sixteenth of the largest beside them, and greedy answers are not compared: rounding decides
where two tokens are nearly as good.
--json prints the report as one JSON document instead.`;

await runProgram(async (args) => {
  const { values, positionals } = parsed(args);
  const [folder, ...more] = positionals;
  const { json = false, help = false, device = 'cpu', dtype = 'float32' } = values;
  if (help) return console.log(usage);
  if (folder === undefined || more.length > 0) throw new UserError(`golden: ${positionals.length} folders, wanted one`);
  if (device !== 'cpu' && device !== 'cuda') throw new UserError(`--device: ${device}, wanted cpu or cuda`);
  if (dtype !== 'float32' && dtype !== 'bfloat16') throw new UserError(`--dtype: ${dtype}, wanted float32 or bfloat16`);
  const lines = await runGolden(folder, json ? () => {} : (line) => console.log(line), { device, dtype });
  const failed = lines.filter(({ ok }) => !ok);
  console.log(json ? document(folder, lines, failed) : summary(lines, failed));
  if (failed.length > 0) process.exitCode = 1;
});

function parsed(args: readonly string[]) {
  try {
    const options = {
      json: { type: 'boolean' },
      device: { type: 'string' },
      dtype: { type: 'string' },
      help: { type: 'boolean' },
    } as const;
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
