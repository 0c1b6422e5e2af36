#!/usr/bin/env node
// The command line: one verb per file of commands/, and the one place where errors become a line and an exit code.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import yargs, { type CommandModule } from 'yargs';
import check from './commands/check.js';
import data from './commands/data.js';
import doctor from './commands/doctor.js';
import evaluate from './commands/evaluate.js';
import evolve from './commands/evolve.js';
import experiment from './commands/experiment.js';
import exportRun from './commands/export.js';
import golden from './commands/golden.js';
import grade from './commands/grade.js';
import label from './commands/label.js';
import preset from './commands/preset.js';
import prm from './commands/prm.js';
import problems from './commands/problems.js';
import report from './commands/report.js';
import rollout from './commands/rollout.js';
import rolloutsQuery from './commands/rollouts.js';
import runs from './commands/runs.js';
import { stopCode } from './commands/stop.js';
import trainPrm from './commands/train-prm.js';
import warmup from './commands/warmup.js';
import { packageRoot } from './config/presets.js';
import { systemFault, UserError } from './core/errors.js';
import { printable } from './core/printable.js';
import { Stopped } from './run/stop.js';

const commands = [
  evolve,
  warmup,
  label,
  trainPrm,
  prm,
  rollout,
  evaluate,
  grade,
  experiment,
  report,
  runs,
  rolloutsQuery,
  exportRun,
  problems,
  preset,
  check,
  data,
  doctor,
  golden,
] as CommandModule[];

// A reader that goes away (`| head`, a lost terminal) takes the output with it, not the job.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  });
}
// The default action would end the process; as an error code of write() it is reported and everything committed stays whole.
process.on('SIGXFSZ', () => {});

const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
const args = process.argv.slice(2).map((arg) => arg.replace(/^--[a-z][\w-]*/, (flag) => flag.replaceAll('_', '-')));
const debug = args.includes('--debug');

try {
  await yargs(args)
    .scriptName('mstar')
    .usage('$0 <verb> [flags]\n\nTrains vision-language models to reason by self-evolving.')
    .command(commands)
    .demandCommand(1, 'no verb, wanted one of those that mstar --help lists')
    .recommendCommands()
    .strict()
    .option('debug', { type: 'boolean', default: false, describe: 'print the stack of an error' })
    .example('mstar evolve --preset demo', 'the whole recipe on generated problems, a few minutes on a laptop')
    .example('mstar evaluate --model DIR --data FILE --image-root DIR --out DIR', 'accuracy of a model')
    .epilogue('mstar <verb> --help explains a verb and shows examples.')
    .wrap(Math.min(110, process.stdout.columns ?? 80))
    .version(version)
    .fail((message, error) => {
      throw error ?? new UserError(refusal(message));
    })
    .parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Stopped ? error.message : `error: ${describe(error)}`}\n`);
  if (debug) process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = error instanceof Stopped ? stopCode() : 1;
}

/** What yargs refuses, in the words of this program. */
function refusal(message: string): string {
  const verb = args.find((arg) => !arg.startsWith('-'));
  const near = /^Did you mean (.+)\?$/.exec(message)?.[1];
  if (near) return `${verb}: unknown verb, did you mean ${near}?`;
  const missing = /^Missing required arguments?: (.+)$/.exec(message)?.[1]?.split(', ')[0];
  if (missing) return `--${missing}: missing, wanted a value`;
  const unknown = /^Unknown (?:argument|command)s?: (.+)$/.exec(message)?.[1]?.split(', ')[0];
  if (unknown === undefined) return message.replace(/\s*\n\s*/g, ': ');
  if (unknown === verb && !commands.some(({ command }) => String(command).split(' ')[0] === verb)) {
    return `${verb}: unknown verb, wanted one that mstar --help lists`;
  }
  return `${args.includes(unknown) ? unknown : `--${unknown}`}: unknown flag, wanted one that mstar ${verb} --help lists`;
}

/** One line without control characters. */
function describe(error: unknown): string {
  const { path, message } = error as NodeJS.ErrnoException;
  const fault = systemFault(error);
  const text = fault ? `${path ?? 'write'}: ${fault}` : String(message ?? error).split('\n')[0];
  const hint = error instanceof UserError || fault ? '' : ' (--debug shows where)';
  return printable(`${text}${hint}`);
}
