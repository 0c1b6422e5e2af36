import { describe, expect, test } from 'vitest';
import yargs, { type Argv } from 'yargs';
import { checkLine, commonFlags, normalised, verbOf } from '../../../src/commands/line.js';
import { verbs } from '../../../src/commands/verbs.js';

/** The refusal of a line, undefined where it is taken. */
function refusal(...words: string[]): string | undefined {
  try {
    checkLine(normalised(words), verbs);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Verb and flag of every flag that takes a value, and of every switch. */
const flags = verbs.flatMap((command) => {
  const parser = commonFlags(yargs([]));
  if (typeof command.builder === 'function') void command.builder(parser as Argv<object>);
  const { key, boolean } = (parser as unknown as { getOptions(): { key: object; boolean: string[] } }).getOptions();
  const names = Object.keys(key).filter((name) => name.length > 1 || name === 'n');
  return names.map((name) => ({ verb: verbOf(command), flag: `--${name}`, isSwitch: boolean.includes(name) }));
});

describe('every verb', () => {
  test('has an example in its help', async () => {
    for (const command of verbs) {
      let help = '';
      await commonFlags(yargs([]))
        .command(command)
        .parseAsync([verbOf(command), '--help'], {}, (_error, _argv, output) => {
          help = output;
        });
      expect(help, verbOf(command)).toContain('Examples:');
    }
  });

  test('refuses each of its flags without a value and with an empty one', () => {
    const valued = flags.filter(({ isSwitch }) => !isSwitch);
    expect(valued.length).toBeGreaterThan(100);
    for (const { verb, flag } of valued) {
      expect(refusal(verb, flag), `${verb} ${flag}`).toBe(`${flag}: no value, wanted one`);
      expect(refusal(verb, flag, '--debug'), `${verb} ${flag}`).toContain(`${flag}: no value, wanted one`);
      for (const empty of [[flag, ''], [`${flag}=`]])
        expect(refusal(verb, ...empty), `${verb} ${flag}=`).toBe(
          `${flag}: empty, wanted a value, or the flag left out`,
        );
    }
  });

  test('takes true and false for each of its switches, and refuses other words', () => {
    const switches = flags.filter(({ isSwitch, flag }) => isSwitch && !['--help', '--version'].includes(flag));
    expect(switches.length).toBeGreaterThan(50);
    for (const { verb, flag } of switches) {
      for (const words of [[flag, 'yes'], [`${flag}=yes`]])
        expect(refusal(verb, ...words)).toBe(`${flag}: yes, wanted true or false, or no value for true`);
      expect(refusal(verb, flag, 'true', '--nosuch')).toContain('--nosuch: unknown flag');
      expect(refusal(verb, `${flag}=false`, '--nosuch')).toContain('--nosuch: unknown flag');
    }
  });
});

test.each([
  ['grade - --out o', ['grade', '/dev/stdin', '--out', 'o']],
  ['check m --data - --json', ['check', 'm', '--data', '/dev/stdin', '--json']],
  ['evolve --config -', ['evolve', '--config', '/dev/stdin']],
  ['rollout --delimiter - --n 2', ['rollout', '--delimiter=-', '--n', '2']],
  ['rollouts run -- -', ['rollouts', 'run', '--', '-']],
  ['check --imageRoot=a_B/cD', ['check', '--image-root=a_B/cD']],
])('reads mstar %s with the dash where a file is wanted', (line, words) => {
  expect(normalised(line.split(' '))).toEqual(words);
});

test.each([
  ['evolve --preset demo --set seed=2 --set evolve.n=4 --report-to jsonl'],
  ['check m'],
  ['check --model m --data d.json --image_root pictures --device cuda'],
  ['data d.json --json'],
  ['data --json d.json'],
  ['data --data d.json --headersOnly --sheet 3'],
  ['--quiet doctor m --gpus 1,8'],
  ['runs --compare a b c --html o.html'],
  ['rollouts run -- --what'],
  ['rollout --model m --data d --out o --deterministic true --temperature .5 --no-json --top_p=.9'],
  ['grade - --out o'],
  ['rollout --model m --data d --out o -n 4'],
  ['experiment table1 table2 --seeds 1'],
  ['rollout --help --nosuch'],
])('takes mstar %s', (line) => {
  expect(refusal(...line.split(' '))).toBeUndefined();
});

test.each([
  ['check', 'model: missing, wanted mstar check MODEL'],
  ['check --dir m', '--dir: no longer a flag of mstar check, wanted --model'],
  ['data --file d', '--file: no longer a flag of mstar data, wanted --data'],
  ['data d --json o.json', '--json: o.json, wanted no file: the result goes to standard output (--json > o.json)'],
  ['check m --model n', '--model: given twice, wanted once'],
  ['rollouts run', 'sql: missing, wanted mstar rollouts RUN SQL'],
  ['runs a b', 'b: not a flag of mstar runs, wanted mstar runs FOLDER and the flags that mstar runs --help lists'],
  ['evolve recipe.yaml', 'recipe.yaml: not a flag of mstar evolve, wanted --config recipe.yaml'],
  ['evolve demo', 'demo: not a flag of mstar evolve, wanted --preset demo'],
  ['evolve seed=2', 'seed=2: not a flag of mstar evolve, wanted --set seed=2'],
  ['evolve --evolve.n 4', '--evolve.n: a setting, wanted --set evolve.n=VALUE'],
  ['rollout --n 1 --n 2', '--n: given twice, wanted once'],
  ['rollout --n four', '--n: four, wanted a number'],
  ['rollout -seed 4', '-seed: unknown flag, did you mean --seed?'],
  ['rollout --temp 1', '--temp: unknown flag, did you mean --temperature?'],
  ['rollout --system -x', '--system: no value, wanted one (one that begins with a dash as --system=VALUE)'],
  ['check m --device gpu', '--device: gpu, wanted one of cpu, cuda'],
  ['preset lst', 'action: lst, wanted one of list, show'],
  ['export run --out o', '--as: missing, wanted a value as mstar export --help shows'],
  ['eval', 'eval: unknown verb, did you mean evaluate?'],
  ['banana', 'banana: unknown verb, wanted one that mstar --help lists'],
  ['', 'no verb, wanted one of those that mstar --help lists'],
])('refuses mstar %s', (line, message) => {
  expect(refusal(...line.split(' ').filter((word) => word !== ''))).toBe(message);
});
