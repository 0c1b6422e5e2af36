import { expect, test } from 'vitest';
import yargs, { type CommandModule } from 'yargs';
import check from '../../../src/commands/check.js';
import data from '../../../src/commands/data.js';
import evaluate from '../../../src/commands/evaluate.js';
import rollout from '../../../src/commands/rollout.js';
import { flagOf, readingSchema } from '../../../src/config/sample.js';

test.each([check, data, evaluate, rollout] as CommandModule[])(
  'every verb that reads data has all flags of how to read it: $command',
  async ({ builder }) => {
    const help = await (builder as (argv: unknown) => ReturnType<typeof yargs>)(yargs([]).wrap(null)).getHelp();
    const flags = Object.keys(readingSchema.shape).map(flagOf);
    expect(flags).toContain('--link-root');
    expect(flags.filter((flag) => !help.includes(`${flag} `))).toEqual([]);
  },
);
