// The analysis of whole run folders on the fake learner: complete, repeatable, and telling what a folder lacks.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Summary } from '../../../../src/evolve/summary.js';
import { evolve } from '../../../../src/jobs/jobs.js';
import { queryRollouts } from '../../../../src/record/query.js';
import { makeTables } from '../../../../src/views/evaluation/tables.js';
import { analysePrm, writePrmAnalysis } from '../../../../src/views/prm/analyse.js';
import type { PrmAnalysis } from '../../../../src/views/prm/analysis.js';
import { fakeHost } from '../../../fakes/host.js';
import { numberProblem, writeStored } from '../../../fakes/stored.js';
import { smallRecipe } from '../../../integration/recipe.js';

let root: string;
let run: string;
let summary: Summary;
let analysis: PrmAnalysis;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'mstar-analyse-'));
  run = join(root, 'run');
  const small = smallRecipe(root, 'run');
  summary = await evolve(
    { ...small, evolve: { ...small.evolve, iterations: 1, select: { repeats: 'drop' } } },
    { host: fakeHost() },
  );
  analysis = await analysePrm(run);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A copy of the run without these files. */
function without(name: string, ...files: string[]): string {
  const dir = join(root, name);
  cpSync(run, dir, { recursive: true });
  for (const file of files) rmSync(join(dir, file));
  return dir;
}

describe('the analysis of a run', () => {
  test('lacks nothing but what a judge would say', () => {
    expect(analysis.missing).toEqual([
      'Relevance to the question: it is rated by a language model, on demand (--judge).',
    ]);
    const { choosing, ranking, tops, calibration, truth, selection } = analysis;
    expect([choosing, ranking, tops, calibration, truth, selection]).not.toContain(null);
    expect([analysis.table, analysis.temperature]).toEqual(['dynamics-0000', 1]);
  });

  test('has the curves and differences of mstar evaluate for the same samples', async () => {
    const { sets } = await makeTables({ rollouts: join(run, 'rollouts/dynamics-0000.parquet'), seed: 1 });
    const set = sets.find(({ temperature }) => temperature === 1);
    expect(analysis.choosing?.curves).toEqual(set?.curves);
    expect(analysis.choosing?.differences).toEqual(set?.differences);
    expect(analysis.choosing?.scores).toEqual(set?.scores);
  });

  test('finds the error that the phase reported', () => {
    const found = summary.prm?.heldOut;
    const { calibration } = analysis;
    expect(calibration).toMatchObject({
      problems: found?.problems,
      responses: found?.responses,
      steps: found?.steps,
    });
    expect(calibration?.mse.mean).toBeCloseTo(found?.mse as number, 12);
    expect(calibration?.baselineMse?.mean).toBeCloseTo(found?.baselineMse as number, 12);
    expect(calibration?.correlation?.mean).toBeCloseTo(found?.correlation as number, 12);
  });

  test('finds for the rule of the run what the run selected', () => {
    const choice = summary.iterations[0]?.choice;
    const rule = analysis.selection?.rules.find((one) => one.rule === 'top 2');
    expect([rule?.selected, rule?.kept]).toEqual([choice?.selected, choice?.kept]);
    expect(rule?.lucky?.mean).toBeCloseTo((choice?.luckySelected ?? 0) / (choice?.selected ?? 1), 12);
    expect(rule?.chance?.mean).toBeCloseTo((choice?.luckyByChance ?? Number.NaN) / (choice?.selected ?? 1), 12);
    const all = analysis.selection?.rules[0];
    expect([all?.selected, all?.lucky?.mean]).toEqual([
      choice?.distinct,
      (choice?.luckyDistinct ?? 0) / (choice?.distinct ?? 1),
    ]);
  });

  test('counts the pairs as SQL does', async () => {
    const { rows } = await queryRollouts(
      run,
      `select count(*) as pairs, sum(case when a.reward > b.reward then 1.0 when a.reward = b.reward then 0.5 else 0 end) as won
       from rollouts a join rollouts b using (phase, problem, temperature)
       where phase = 'dynamics-0000' and temperature = 1 and a.verdict = 'correct' and b.verdict <> 'correct'`,
    );
    expect(analysis.ranking?.pairs).toBe(Number(rows[0]?.pairs));
    expect(analysis.ranking?.pairAccuracy?.mean).toBeCloseTo(Number(rows[0]?.won) / Number(rows[0]?.pairs), 12);
  });

  test('writes the same bytes again, with a file for each figure that no variable is left in', async () => {
    const [one, two] = [join(root, 'one'), join(root, 'two')];
    await writePrmAnalysis(run, one);
    await writePrmAnalysis(run, two);
    const names = readdirSync(one).sort();
    const figures = ['calibration', 'curves', 'labels', 'luck', 'rewards'].map((name) => `prm-${name}.svg`);
    expect(names).toEqual([...figures, 'prm.html', 'prm.json', 'prm.md']);
    for (const name of names) expect(readFileSync(join(two, name), 'utf8')).toBe(readFileSync(join(one, name), 'utf8'));
    const [page, text] = [readFileSync(join(one, 'prm.html'), 'utf8'), readFileSync(join(one, 'prm.md'), 'utf8')];
    for (const name of figures) {
      expect(readFileSync(join(one, name), 'utf8')).toMatch(
        /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" (?![\s\S]*var\()/,
      );
      expect(page).toContain(`aria-labelledby="${name.slice(0, -4)}-title`);
      expect(text).toContain(`](${name})`);
    }
    expect(JSON.parse(readFileSync(join(one, 'prm.json'), 'utf8'))).toEqual(analysis);
  });

  test('looks at another table, temperature and iteration on demand, and refuses what is not there by its file', async () => {
    const final = await analysePrm(run, { table: 'test-final' });
    expect(final.choosing?.problems).toBe(60);
    const rollouts = join(run, 'rollouts');
    await expect(analysePrm(run, { table: 'dynamics-0009' })).rejects.toThrow(
      `${rollouts}/dynamics-0009.parquet: table: no such file, wanted a table of the run`,
    );
    await expect(analysePrm(run, { iteration: 7 })).rejects.toThrow(
      `${rollouts}/iter-0007.parquet: table: no such file`,
    );
    await expect(analysePrm(run, { temperature: 0.3 })).rejects.toThrow(
      `${rollouts}/dynamics-0000.parquet: temperature: 0.3, wanted one of 1`,
    );
    await expect(analysePrm(run, { table: 'test-base' })).rejects.toThrow(
      `${rollouts}/test-base.parquet: temperature: greedy responses only, wanted a table with samples`,
    );
    await expect(analysePrm(root)).rejects.toThrow(`${root}: run: no config.yaml, wanted the folder of a run`);
  });
});

describe('a folder that lacks something', () => {
  test('without held-out responses has everything but the calibration; an old figure of it goes', async () => {
    const dir = without('old', 'prm-held-out.jsonl');
    writeFileSync(join(dir, 'prm-calibration.svg'), 'of an earlier analysis');
    const old = await writePrmAnalysis(dir, dir);
    expect(old.calibration).toBeNull();
    expect(old.missing).toContain(
      'prm-held-out.jsonl: the run kept no responses out of the training of its PRM, so nothing on calibration.',
    );
    expect(old.truth?.rows.map(({ what, on }) => `${what} ${on}`)).toEqual([
      'labels all labelled steps',
      'scores steps of dynamics-0000',
    ]);
    expect(readdirSync(dir)).not.toContain('prm-calibration.svg');
    expect(readFileSync(join(dir, 'prm.html'), 'utf8')).toContain('nothing on calibration');
    expect(readFileSync(join(dir, 'prm.md'), 'utf8')).toContain('- prm-held-out.jsonl: ');
  });

  test('without the iteration applies the rules to the samples, and says so', async () => {
    const { selection, missing } = await analysePrm(without('short', 'rollouts/iter-0001.parquet'));
    expect(selection?.table).toBe('dynamics-0000');
    expect(missing).toContain('rollouts/iter-0001.parquet: selection rules are applied to dynamics-0000 instead.');
  });

  test('with nothing but its settings gives a page that says what is missing', async () => {
    const dir = join(root, 'empty');
    const small = join(root, 'empty-out');
    cpSync(join(run, 'config.yaml'), join(dir, 'config.yaml'), { recursive: true });
    const empty = await writePrmAnalysis(dir, small);
    expect(empty).toMatchObject({
      choosing: null,
      ranking: null,
      tops: null,
      calibration: null,
      truth: null,
      selection: null,
    });
    expect(empty.missing).toHaveLength(4);
    expect(readdirSync(small).sort()).toEqual(['prm.html', 'prm.json', 'prm.md']);
  });

  test('without truth and rewards still has accuracies and votes', async () => {
    const dir = join(root, 'plain');
    cpSync(join(run, 'config.yaml'), join(dir, 'config.yaml'), { recursive: true });
    await writeStored(join(root, 'plain.parquet'), dir, [
      { problem: numberProblem('1', '4'), temperature: 1, responses: ['The answer is 4', 'The answer is 5'] },
      { problem: numberProblem('2', '4'), temperature: 1, responses: [], error: 'no picture' },
    ]);
    cpSync(join(root, 'plain.parquet'), join(dir, 'rollouts/dynamics-0000.parquet'), { recursive: true });
    const plain = await writePrmAnalysis(dir, dir);
    expect(plain.choosing?.curves.map(({ name }) => name)).toEqual(['Pass@N', 'Pass@N unbiased', 'majority']);
    expect(plain.choosing?.failed).toBe(1);
    expect([plain.ranking, plain.tops, plain.truth, plain.selection]).toEqual([null, null, null, null]);
    expect(plain.missing.join(' ')).toMatch(/Rewards of all responses of dynamics-0000.*True reasoning/);
  });

  test.each([
    ['prm-held-out.jsonl', 'prm-held-out.jsonl:1: record: cut off'],
    ['labels.jsonl', 'labels.jsonl:1: record: cut off'],
    ['rollouts/dynamics-0000.parquet', 'dynamics-0000.parquet: table: '],
  ])('is refused in one line where %s is damaged, and nothing is written', async (file, message) => {
    const dir = without(`damaged-${file.replaceAll('/', '-')}`);
    writeFileSync(join(dir, file), '{"half');
    const fault = await writePrmAnalysis(dir, join(dir, 'out')).catch((error: Error) => error);
    expect(fault).toMatchObject({ name: 'UserError', message: expect.stringContaining(message) });
    expect((fault as Error).message).not.toContain('\n');
    expect(readdirSync(dir)).not.toContain('out');
  });
});
