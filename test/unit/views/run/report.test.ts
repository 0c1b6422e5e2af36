// report.html of whole runs on the fake learner: complete, safe, alone, accessible, repeatable; and of unfinished ones.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../../../src/core/errors.js';
import type { Summary } from '../../../../src/evolve/summary.js';
import { percent } from '../../../../src/page/format.js';
import { escapeText } from '../../../../src/page/html.js';
import { writeReport } from '../../../../src/views/run/report.js';
import { HOSTILE, hostileRun } from './hostile.js';
import { bodyOf, faultsOf, matches, TAG } from './markup.js';

let root: string;
let run: string;
let page: string;
let summary: Summary;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'mstar-report-'));
  run = await hostileRun(root);
  page = readFileSync(await writeReport(run), 'utf8');
  summary = JSON.parse(readFileSync(join(run, 'summary.json'), 'utf8')) as Summary;
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The texts that a page does not hold; pages are too long to be printed by a matcher. */
const missing = (text: string, wanted: readonly string[]): string[] => wanted.filter((one) => !text.includes(one));

/** A copy of the run that the test may damage. */
function copyOf(name: string): string {
  const dir = join(root, name);
  cpSync(run, dir, { recursive: true });
  return dir;
}

/** Keeps the events of the journal up to the commit of a phase, and `more` lines. */
function cutAfter(dir: string, phase: string, more = 0): void {
  const journal = join(dir, 'journal.jsonl');
  const lines = readFileSync(journal, 'utf8').split('\n');
  const commit = lines.findIndex((line) => line.includes('"event":"commit"') && line.includes(`"phase":"${phase}"`));
  writeFileSync(
    journal,
    lines
      .slice(0, commit + 1 + more)
      .map((line) => `${line}\n`)
      .join(''),
  );
}

describe('the report', () => {
  test('gives the accuracy of every checkpoint with its interval', () => {
    const cells = Object.values(summary.test).map(
      ({ accuracy, low, high }) => `<td>${percent(accuracy)}</td><td>${percent(low)} to ${percent(high)}</td>`,
    );
    expect(cells).toHaveLength(5);
    expect(missing(page, cells)).toEqual([]);
  });

  test('has every section and a link to each', () => {
    const sections = matches(page, /<section id="([^"]+)"/g);
    expect(sections).toEqual([
      'result',
      'run',
      'dynamics',
      'temperature',
      'selection',
      'prm',
      'samples',
      'changes',
      'training',
      'time',
    ]);
    expect(matches(page, /<a href="#([^"]+)"/g)).toEqual(sections);
  });

  test('draws the dynamics, the temperatures, the selection, the PRM and the training', () => {
    const charts = matches(page, /<svg [^>]*aria-labelledby="(\S+)-title /g);
    const wanted = [
      'result-chart',
      'dynamics-greedy',
      'dynamics-pass',
      'dynamics-gap',
      'dynamics-reward',
      'temperature-used',
    ];
    wanted.push('temperature-scores', 'selection-kept', 'selection-luck', 'prm-labels', 'prm-loss', 'prm-quality');
    wanted.push('policy-loss', 'policy-norm', 'policy-rate', 'warmup-loss', 'time-kinds');
    expect(charts).toEqual(expect.arrayContaining(wanted));
  });

  test('colours a change only where its interval leaves out zero', async () => {
    const told = (text: string): [string, number, number, boolean] => {
      const [, colour] = /<p class="big">.*<b class="(\w+)">/.exec(text) ?? [];
      const [, low, high, zero] =
        /95 % interval (\S+) to ([^\s,;]+)(, which holds zero: the change may be chance)?;/.exec(text) ?? [];
      const value = (found = '') => Number(found.replace('−', '-'));
      return [colour as string, value(low), value(high), zero !== undefined];
    };
    const [colour, low, high, zero] = told(page);
    expect(low).toBeGreaterThan(0);
    expect({ colour, zero }).toEqual({ colour: 'up', zero: false });
    expect(high).toBeGreaterThan(low);

    const dir = copyOf('unchanged');
    const last = `test-${Object.keys(summary.test).at(-1)}`;
    cpSync(join(dir, `rollouts/${last}.parquet`), join(dir, 'rollouts/test-warmup.parquet'));
    expect(told(readFileSync(await writeReport(dir), 'utf8'))).toEqual(['even', 0, 0, true]);

    rmSync(join(dir, `rollouts/${last}.parquet`));
    expect(readFileSync(await writeReport(dir), 'utf8')).toMatch(/<b class="even">[+−]\S+ points<\/b>/);
  });

  test('says of luck what its bars say, and of the dynamics what its curves say', () => {
    const shares = summary.iterations.map(({ lucky }) => [lucky?.chance, lucky?.after] as const);
    const lower = shares.filter(([chance, after]) => after! < chance!).length;
    const equal = shares.filter(([chance, after]) => after === chance).length;
    const higher = shares.length - lower - equal;
    const [first, last] = [summary.dynamics[0], summary.dynamics.at(-1)];
    expect(
      missing(page, [
        ' of the selected ones are lucky; a random draw of as many to each problem would have ',
        `is below that of the draw in ${lower}, equal in ${equal}, above it in ${higher} of ${shares.length} iterations.`,
        `From start to iteration ${last?.iteration}: greedy accuracy ${percent(first?.greedy.accuracy)} to ${percent(last?.greedy.accuracy)}, `,
      ]),
    ).toEqual([]);
    expect(page).not.toMatch(/earns its keep|should rise/);
  });

  test('says why a response was not read in the words of the grader', () => {
    const reasons = matches(page, /\? unreadable<\/b>[\s\S]*?<p class="reason">([^<]+)<\/p>/g);
    expect(reasons.length).toBeGreaterThan(0);
    expect(page).not.toContain('no answer found');
  });

  test('counts problems by kept responses so that they add up to the selected ones', () => {
    const [iteration] = summary.iterations;
    const kept = matches(page, /(0: \d+(?:, \d+: \d+)*)<\/td>/g)[1] as string;
    const pairs = kept.split(', ').map((part) => part.split(': ').map(Number) as [number, number]);
    expect(pairs.reduce((sum, [, problems]) => sum + problems, 0)).toBe(iteration?.choice.problems);
    expect(pairs.reduce((sum, [k, problems]) => sum + k * problems, 0)).toBe(iteration?.choice.selected);
  });

  test('shows problems with picture, true steps, scores in colour with their number, and what was selected', () => {
    const cards = page
      .slice(page.indexOf('<section id="samples"'), page.indexOf('<section id="changes"'))
      .split('<article')
      .slice(1);
    expect(cards.length).toBeGreaterThanOrEqual(3 * 6);
    const card = cards.find((one) => one.includes('kept a right chain, refused a lucky one'));
    expect(card).toMatch(/<img class="pixels" src="data:image\/png;base64,/);
    expect(card).toMatch(/True steps/);
    expect(card).toMatch(/★ selected/);
    expect(card).toMatch(/lucky: a step is wrong/);
    expect(card).toMatch(
      /<span class="score q\d+" style="--fill:\d+%"><span class="hidden">score <\/span>[01−]\S*<\/span>/,
    );
    expect(cards.some((one) => one.includes('could not be sampled'))).toBe(true);
  });

  test('reports the problems that could not be sampled', () => {
    const events = readFileSync(join(run, 'journal.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; problem: string });
    const failed = new Set(events.filter(({ event }) => event === 'failed').map(({ problem }) => problem));
    expect(page.match(/(\d+) problems could not be sampled/)?.[1]).toBe(String(failed.size));
    expect(missing(page, [...failed].map(escapeText))).toEqual([]);
  });
});

describe('texts of the model and the data', () => {
  test('are shown as they are', () => {
    expect(missing(page, HOSTILE.map(escapeText))).toEqual([]);
  });

  test('become neither elements nor attributes', () => {
    const tags = matches(page, /<([a-zA-Z][\w-]*)/g);
    const known =
      'a article b body caption circle clipPath code dd defs desc details div dl dt figcaption figure g h1 h2 h3 h4 head header html i img li main meta nav ol p path pre rect section span strong style summary svg table tbody td text th thead title tr ul';
    expect([...new Set(tags)].filter((tag) => !known.split(' ').includes(tag))).toEqual([]);
    const attributes = [...bodyOf(page).matchAll(TAG)].flatMap(([, , , all]) =>
      matches(all as string, /\s([\w:-]+)(?:="[^"]*")?/g),
    );
    expect(
      [...new Set(attributes)].filter((name) => /^on|^(action|formaction|srcdoc|srcset|ping)$/i.test(name)),
    ).toEqual([]);
    expect(matches(page, /<h1>([^<]*)/g)).toEqual(['run']);
    expect(faultsOf(page)).toEqual([]);
  });
});

describe('the page', () => {
  test('asks for nothing outside itself', () => {
    const places = matches(page, /\s(?:src|href|xlink:href|action|data|srcset)="([^"]*)"/g);
    expect(places.filter((place) => !/^(#|data:image\/(png|jpeg);base64,)/.test(place))).toEqual([]);
    expect(matches(page, /url\(([^)]*)\)/g).filter((place) => !place.startsWith('#'))).toEqual([]);
    expect(matches(page, /(@import)/g)).toEqual([]);
    expect(missing(page, [`content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"`])).toEqual([]);
  });

  test('has unique ids, and every label and clip path that is named exists', () => {
    const ids = matches(page, /\sid="([^"]*)"/g);
    expect(ids.length).toBe(new Set(ids).size);
    const named = [
      ...matches(page, /aria-labelledby="([^"]*)"/g).flatMap((names) => names.split(' ')),
      ...matches(page, /url\(#([^)]*)\)/g),
    ];
    expect(named.filter((id) => !ids.includes(id))).toEqual([]);
  });

  test('is the same for the same folder, and depends on the clock in the section on time only', async () => {
    const dir = copyOf('clock/run');
    expect(readFileSync(await writeReport(dir), 'utf8') === page).toBe(true);
    const timings = join(dir, 'timings.json');
    const seconds = JSON.parse(readFileSync(timings, 'utf8')) as Record<string, number>;
    writeFileSync(
      timings,
      JSON.stringify(Object.fromEntries(Object.keys(seconds).map((phase, i) => [phase, 100 + i]))),
    );
    const later = readFileSync(await writeReport(dir), 'utf8');
    const withoutTime = (text: string): string => text.replace(/<section id="time"[\s\S]*?<\/section>/, '');
    expect(later === page).toBe(false);
    expect(withoutTime(later) === withoutTime(page)).toBe(true);
  });
});

describe('an unfinished run', () => {
  test.each(['warmup', 'label', 'train-prm', 'test-base', 'dynamics-0000', 'iter-0001', 'test-iter-0002'])(
    'that ended after %s is reported as far as it went',
    async (phase) => {
      const dir = copyOf(`after-${phase}`);
      cutAfter(dir, phase);
      const text = readFileSync(await writeReport(dir), 'utf8');
      expect(missing(text, ['This run is not finished.'])).toEqual([]);
      expect(faultsOf(text)).toEqual([]);
    },
  );

  test('that ended inside a training shows its optimizer steps so far', async () => {
    const dir = copyOf('inside');
    cutAfter(dir, 'dynamics-0001', 0);
    writeFileSync(
      join(dir, 'journal.jsonl'),
      '{"event":"step","phase":"iter-0002","loss":0.5,"gradNorm":null,"lr":1e-6,"tokens":9,"version":7}\n{"event":"st',
      { flag: 'a' },
    );
    const text = readFileSync(await writeReport(dir), 'utf8');
    expect(missing(text, ['begun: ', '<th scope="row">iteration 2</th><td>1</td><td>0.5</td>'])).toEqual([]);
  });

  test('that has done nothing yet is reported', async () => {
    const dir = copyOf('empty');
    truncateSync(join(dir, 'journal.jsonl'), 0);
    for (const name of ['rollouts', 'labels.jsonl', 'timings.json', 'summary.json'])
      rmSync(join(dir, name), { recursive: true });
    expect(missing(readFileSync(await writeReport(dir), 'utf8'), ['No phase is finished yet'])).toEqual([]);
  });

  test('without its tables, pictures and data keeps what the journal tells', async () => {
    const dir = copyOf('bare');
    for (const name of ['rollouts', 'labels.jsonl']) rmSync(join(dir, name), { recursive: true });
    const text = readFileSync(await writeReport(dir), 'utf8');
    expect(missing(text, [percent(summary.test.warmup?.accuracy)])).toEqual([]);
    expect(matches(text, /<section id="([^"]+)"/g)).not.toContain('changes');
  });
});

describe('writeReport', () => {
  test.each([
    ['nothing', () => {}, /config\.yaml/],
    [
      'a run of another verb',
      (dir: string) => writeFileSync(join(dir, 'config.yaml'), 'verb: evaluate\n'),
      /made by mstar evaluate, wanted the folder of mstar evolve; it is not finished$/,
    ],
    [
      'an evaluation without a benchmark',
      (dir: string) => {
        writeFileSync(join(dir, 'config.yaml'), 'verb: evaluate\n');
        writeFileSync(join(dir, 'summary.json'), '{}');
      },
      /made by mstar evaluate, .*; its results are in \S+summary\.json$/,
    ],
    [
      'rollouts alone',
      (dir: string) => {
        writeFileSync(join(dir, 'config.yaml'), 'verb: rollout\n');
        for (const name of ['summary.json', 'rollouts.parquet']) writeFileSync(join(dir, name), '');
      },
      /made by mstar rollout, .*; mstar evaluate --rollouts \S+ --out DIR makes its tables, mstar rollouts \S+ SQL asks its responses$/,
    ],
    [
      'an evaluation on a benchmark',
      (dir: string) => {
        writeFileSync(join(dir, 'config.yaml'), 'verb: evaluate\n');
        for (const name of ['evaluation.html', 'rollouts.parquet']) writeFileSync(join(dir, name), '');
      },
      /; its tables are in \S+evaluation\.html$/,
    ],
    [
      'settings that are no YAML',
      (dir: string) => writeFileSync(join(dir, 'config.yaml'), 'a: [\n'),
      /config\.yaml: settings: .*, wanted valid YAML/,
    ],
    [
      'a journal of another form',
      (dir: string) => {
        writeFileSync(join(dir, 'config.yaml'), 'seed: 1\n');
        const tokens = { sampled: 0, scored: 0, trained: 0 };
        const commit = {
          event: 'commit',
          phase: 'iter-0001',
          result: { iteration: 'x' },
          tokens,
          outputs: {},
          checkpoint: null,
        };
        writeFileSync(join(dir, 'journal.jsonl'), `${JSON.stringify(commit)}\n`);
      },
      /journal\.jsonl: iter-0001: iteration: "x", wanted/,
    ],
  ])('refuses a folder with %s in one line and writes nothing', async (_, prepare, message) => {
    const dir = mkdtempSync(join(root, 'refused-'));
    prepare(dir);
    const error = await writeReport(dir).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).not.toContain('\n');
    expect(existsSync(join(dir, 'report.html'))).toBe(false);
  });

  test('reads no table outside the folder, whatever its journal says', async () => {
    const dir = copyOf('outside');
    const journal = join(dir, 'journal.jsonl');
    const text = readFileSync(journal, 'utf8').replaceAll('"at":"', '"at":"../../run/rollouts/test-');
    writeFileSync(journal, text);
    await expect(writeReport(dir)).rejects.toThrow(
      /journal\.jsonl: file: "rollouts\/test-\.\.\/[^\n]+, wanted a path inside the run folder$/,
    );
  });

  test('refuses a damaged table in one line', async () => {
    const dir = copyOf('damaged');
    truncateSync(join(dir, 'rollouts/iter-0001.parquet'), 100);
    await expect(writeReport(dir)).rejects.toThrow(
      /iter-0001\.parquet: table: [^\n]+, wanted a table that mstar wrote$/,
    );
  });
});
