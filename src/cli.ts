#!/usr/bin/env node
// The command line: one verb per file of commands/, and the one place where errors become a line and an exit code.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import yargs from 'yargs';
import { checkLine, commonFlags, completionShell, normalised, ownFlagsFirst } from './commands/line.js';
import { errorLine } from './commands/result.js';
import { stopCode } from './commands/stop.js';
import { verbs } from './commands/verbs.js';
import { packageRoot } from './config/presets.js';
import { Stopped, UserError } from './core/errors.js';
import { TEMPORARY_FAILURE } from './core/signals.js';

// A reader that goes away (`| head`, a lost terminal) takes the output with it, not the job.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  });
}
// The default action would end the process; as an error code of write() it is reported and everything committed stays whole.
process.on('SIGXFSZ', () => {});

const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
const words = normalised(process.argv.slice(2));
const debug = words.includes('--debug');

try {
  if (words[0] === 'completion' && !/^(--help|-h)$/.test(words[1] ?? ''))
    process.env.SHELL = completionShell(words.splice(1), process.env.SHELL);
  // Words that a shell asks to complete are unfinished.
  if (words[0] !== 'completion' && words[0] !== '--get-yargs-completions') checkLine(words, verbs);
  await commonFlags(yargs(words))
    .scriptName('mstar')
    .usage('$0 <verb> [flags]\n\nTrains vision-language models to reason by self-evolving.')
    .command(verbs.map(ownFlagsFirst))
    .completion('completion', 'print a script that completes verbs and flags: --shell bash or zsh, else that of $SHELL')
    .strict()
    // One language for help and refusals, whatever the user's locale is.
    .detectLocale(false)
    .example('$0 evolve --preset demo', 'the whole recipe on generated problems, a few minutes on a laptop')
    .example('$0 init --model DIR --data FILE --out recipe.yaml', 'a recipe for your own model and data')
    .example('$0 evaluate --model DIR --data FILE --image-root DIR --out DIR', 'accuracy of a model')
    .epilogue('mstar <verb> --help explains a verb and shows examples.')
    .wrap(Math.min(110, process.stdout.columns ?? 80))
    .version(version)
    .fail((_message, error) => {
      // checkLine has refused what a user can mistake; what yargs alone would refuse is not said in its words.
      throw error ?? new UserError(`${words.join(' ')}: not understood, wanted words as --help shows them`);
    })
    .parseAsync();
} catch (error) {
  process.stderr.write(
    `${error instanceof Stopped ? `${error.message}; the same command goes on from here` : `error: ${errorLine(error)}`}\n`,
  );
  if (debug) process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  const isLost = (error as { code?: unknown }).code === 'ERR_RANK';
  process.exitCode = error instanceof Stopped ? stopCode() : isLost ? TEMPORARY_FAILURE : 1;
}
