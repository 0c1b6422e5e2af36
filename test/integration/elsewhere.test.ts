// What a run can take from elsewhere in place of making it: a PRM, examples of the warm-up, labels of steps. On a simulated learner, without the engine.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.js';
import type { Summary } from '../../src/evolve/summary.js';
import { evolve } from '../../src/jobs/jobs.js';
import type { RecipeOptions } from '../../src/jobs/options.js';
import { analysePrm } from '../../src/views/prm/analyse.js';
import { writeReport } from '../../src/views/run/report.js';
import { fakeHost } from '../fakes/host.js';
import { solidPng } from '../fakes/png.js';
import { smallRecipe } from './recipe.js';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mstar-elsewhere-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = (name: string, change: Partial<ConfigInput>, options: RecipeOptions = {}): Promise<Summary> =>
  evolve(smallRecipe(root, name, change), { host: fakeHost(), ...options });
const phasesOf = (name: string): string[] =>
  readFileSync(join(root, name, 'journal.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; phase: string })
    .filter(({ event }) => event === 'commit')
    .map(({ phase }) => phase);
const optimizer = { lr: 0.06, batchSize: 8, weightDecay: 0 };
const short = { iterations: 1, interval: 24, n: 6, optimizer };

describe('a PRM made elsewhere', () => {
  let own: Summary;
  beforeAll(async () => {
    own = await run('own', { evolve: short, explore: { adaptive: false } });
  });
  const given = (name: string, path: string, host = fakeHost()) =>
    run(name, { prm: { path }, evolve: short, explore: { adaptive: false } }, { host });

  /** A host whose policy learns only while no scorer is open. */
  function apart(): ReturnType<typeof fakeHost> {
    const host = fakeHost();
    let open = 0;
    return {
      openPolicy: async (dir) => {
        const policy = await host.openPolicy(dir);
        const step = policy.trainStep.bind(policy);
        policy.trainStep = (batch) => {
          expect(open).toBe(0);
          return step(batch);
        };
        return policy;
      },
      openScorer: async (dir, head) => {
        expect(head).toBe('given');
        const scorer = await host.openScorer(dir, head);
        open++;
        const dispose = scorer.dispose.bind(scorer);
        scorer.dispose = () => {
          open--;
          return dispose();
        };
        return scorer;
      },
    };
  }

  test('takes the place of labels and their training, gives the same rewards, and is out of memory in trainings', async () => {
    const found = await given('given', join(root, 'own/checkpoints/prm'), apart());
    expect(phasesOf('given')).toEqual(phasesOf('own').filter((phase) => !['label', 'train-prm'].includes(phase)));
    expect(existsSync(join(root, 'given/checkpoints/prm'))).toBe(false);
    expect(found.iterations).toEqual(own.iterations);
    expect(found.final).toEqual(own.final);
  });

  test('is named by the report, which shows how well it tells right steps from wrong ones', async () => {
    const page = readFileSync(await writeReport(join(root, 'given')), 'utf8');
    expect(page).toContain(
      `It comes from ${join(root, 'own/checkpoints/prm')}: the run labels no steps and trains none.`,
    );
    expect(page).toContain('Step scores against the true reasoning');
    const { missing, truth } = await analysePrm(join(root, 'given'));
    expect(missing).toContain('Step labels: the PRM was made elsewhere, so nothing on calibration.');
    expect(truth).not.toBeNull();
  });

  test('of another tokenizer reads the text of the responses, with the same rewards', async () => {
    const dir = join(root, 'other');
    cpSync(join(root, 'own/checkpoints/prm'), dir, { recursive: true });
    const weights = JSON.parse(readFileSync(join(dir, 'model.json'), 'utf8')) as object;
    writeFileSync(join(dir, 'model.json'), JSON.stringify({ ...weights, tokenizer: 'another' }));
    const found = await given('by-text', dir);
    expect(found.iterations).toEqual(own.iterations);
    expect(found.final).toEqual(own.final);
  });

  test('is refused before a folder is made where it cannot be read, and where a PRM is to be trained', async () => {
    await expect(given('absent', join(root, 'nowhere'))).rejects.toThrow('nowhere: model.json: missing');
    expect(existsSync(join(root, 'absent'))).toBe(false);
    await expect(run('trained', { prm: { path: 'x' } }, { until: 'label' })).rejects.toThrow(
      'x", wanted null where steps are labelled and a PRM is trained (--set prm.path=null)',
    );
  });
});

interface Row {
  id: string;
  image: string;
  conversations: { from: string; value: string }[];
  truth: { steps: string[] };
}

/** The problems of a run with their true reasoning as whole responses, as a file of conversations. */
function writtenExamples(file: string, from: string): ConfigInput['warmup'] {
  const rows = JSON.parse(readFileSync(join(root, from, 'problems/problems.json'), 'utf8')) as Row[];
  const written = rows.map((row) => {
    const [question] = row.conversations;
    return {
      ...row,
      id: `given-${row.id}`,
      conversations: [question, { from: 'gpt', value: row.truth.steps.join('\n') }],
    };
  });
  writeFileSync(join(root, file), written.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return { optimizer, from: { file: join(root, file), imageRoot: join(root, from, 'problems/data_images') } };
}

describe('examples of the warm-up from elsewhere', () => {
  test('are trained on in place of sampled ones, but for those that tell a hidden answer', async () => {
    await run('sampled', { evolve: short }, { until: 'warmup' });
    const said: string[] = [];
    const display = { show: () => {}, say: (text: string) => void said.push(text), close: () => {} };
    const warmup = writtenExamples('examples.jsonl', 'sampled');
    const prm = { ...smallRecipe(root, 'written').prm, completerEpochs: 1 };
    const found = await run('written', { warmup, prm, evolve: short }, { display, until: 'train-prm' });
    const hidden = 160 - found.problems.labelled;
    expect(said).toContain(
      `warmup.from: ${hidden} of 160 are of problems whose answers are hidden here and were dropped`,
    );
    expect(found.warmup?.choice).toMatchObject({ sampled: 0, problems: 64, selected: 64 });
    expect(found.warmup?.training).toMatchObject({ examples: 64, steps: 8 });
    expect(phasesOf('written').slice(0, 4)).toEqual(['warmup', 'completer', 'label', 'train-prm']);
    expect(existsSync(join(root, 'written/rollouts/warmup.parquet'))).toBe(false);
    const config = readFileSync(join(root, 'written/config.yaml'), 'utf8');
    expect(config).toContain(`file: ${join(root, 'examples.jsonl')}`);
  });

  test('are limited by the seed, and must be the same when a run goes on', async () => {
    const warmup = writtenExamples('limited.jsonl', 'sampled');
    const limited = { warmup: { ...warmup, maxExamples: 10 }, evolve: short };
    const found = await run('limited', limited, { until: 'warmup' });
    expect(found.warmup?.training.examples).toBe(10);
    writeFileSync(
      join(root, 'limited.jsonl'),
      readFileSync(join(root, 'limited.jsonl'), 'utf8').replaceAll('The answer is', 'So it is'),
    );
    await expect(run('limited', limited)).rejects.toThrow('limited: warmup.from: ');
  });

  test('are refused where they hold answers alone', async () => {
    const file = join(root, 'mmstar.tsv');
    const picture = Buffer.from(solidPng(8, 8, [1, 2, 3])).toString('base64');
    writeFileSync(file, `index\tquestion\tanswer\tcategory\tl2_category\timage\n0\tq\tA\tx\ty\t${picture}\n`);
    await expect(run('answers', { warmup: { from: { file } } })).rejects.toThrow(
      'response: none, wanted conversations',
    );
  });
});

/** Solutions in the form of Math-Shepherd; those of odd questions have a wrong second step. */
function shepherd(count: number): string {
  const lines = Array.from({ length: count }, (_, i) => {
    const second = i % 2 === 0 ? 'right' : 'wrong';
    const steps = ['Step 1: a', `Step 2: ${second}`, 'Step 3: The answer is: 6'];
    const of = (mark: (step: number) => string) =>
      `How many of ${i >> 1}? ${steps.map((s, j) => `${s} ${mark(j)}`).join('\n')}`;
    return JSON.stringify({ input: of(() => 'ки'), label: of((j) => (second === 'wrong' && j > 0 ? '-' : '+')) });
  });
  return `${lines.join('\n')}\n`;
}

describe('step labels from elsewhere', () => {
  const fields = (name: string, prm: ConfigInput['prm']): ConfigInput => {
    const { model, run: folder, seed } = smallRecipe(root, name);
    return { seed, model, run: { ...folder, dir: join(root, name) }, warmup: { enabled: false }, prm };
  };

  test('make a PRM without problems and without the loop, and its training goes on where it was stopped', async () => {
    const file = join(root, 'shepherd.jsonl');
    writeFileSync(file, shepherd(40));
    const prm = { labels: { file }, heldOut: 0.25, optimizer: { ...optimizer, epochs: 40 } };
    const whole = await evolve(fields('alone', prm), { host: fakeHost(), until: 'train-prm' });
    expect(phasesOf('alone')).toEqual(['label', 'train-prm']);
    expect(whole.labels).toMatchObject({ problems: 20, candidates: 40, pairs: 40, right: 20, steps: 120, failed: 0 });
    expect(whole.labels?.meanLabel).toBeCloseTo((20 * 3 + 20) / 120, 12);
    expect(whole.prm?.heldOut).toMatchObject({ problems: 5, responses: 10, steps: 30, auc: 1 });
    const labels = readFileSync(join(root, 'alone/labels.jsonl'), 'utf8').split('\n');
    expect(JSON.parse(labels[1] as string)).toMatchObject({
      problem: '0',
      sample: 1,
      verdict: 'wrong',
      text: 'Step 1: a\nStep 2: wrong\nStep 3: The answer is: 6',
      steps: [
        { end: 10, label: 1 },
        { end: 24, label: 0 },
        { end: 49, label: 0 },
      ],
    });

    const stop = new AbortController();
    let steps = 0;
    const host = fakeHost();
    const stopping: typeof host = {
      ...host,
      openScorer: async (dir, head) => {
        const scorer = await host.openScorer(dir, head);
        const step = scorer.trainStep.bind(scorer);
        scorer.trainStep = (batch) => {
          if (++steps === 5) stop.abort();
          return step(batch);
        };
        return scorer;
      },
    };
    const options = { until: 'train-prm', signal: stop.signal } as const;
    await expect(evolve(fields('stopped', prm), { host: stopping, ...options })).rejects.toThrow();
    await evolve(fields('stopped', prm), { host: fakeHost(), until: 'train-prm' });
    for (const path of ['journal.jsonl', 'checkpoints/prm/model.json', 'prm-held-out.jsonl'])
      expect(readFileSync(join(root, 'stopped', path), 'utf8')).toBe(readFileSync(join(root, 'alone', path), 'utf8'));
  });

  test('make the PRM of a run, which scores its responses', async () => {
    const labels = { file: join(root, 'shepherd.jsonl') };
    const prm = { labels, completerEpochs: 0, optimizer: { ...optimizer, epochs: 4 } };
    const found = await run('labelled', { prm, evolve: short, explore: { adaptive: false } });
    expect(phasesOf('labelled').slice(0, 3)).toEqual(['warmup', 'label', 'train-prm']);
    expect(existsSync(join(root, 'labelled/rollouts/label.parquet'))).toBe(false);
    expect(found.labels?.pairs).toBe(40);
    expect(found.final?.samples.rewardPassAt2).not.toBeNull();
  });

  test('without problems go no further than the PRM', async () => {
    const labels = { file: join(root, 'shepherd.jsonl') };
    await expect(evolve(fields('further', { labels }), { host: fakeHost() })).rejects.toThrow(
      'data: no problems, wanted',
    );
    await expect(run('both', { prm: { labels, path: 'x' } })).rejects.toThrow('prm.labels: given beside prm.path');
  });

  test('or a PRM that nothing would read are refused', async () => {
    const labels = { file: join(root, 'shepherd.jsonl') };
    for (const [name, prm] of Object.entries({ labels: { labels }, path: { path: 'x' } }))
      await expect(run('unread', { prm: { ...prm, enabled: false } })).rejects.toThrow(
        `prm.${name}: given, but no PRM is asked (prm.enabled): wanted prm.${name}=null, or a PRM and a decision that needs it`,
      );
  });
});
