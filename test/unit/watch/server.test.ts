// The server of mstar watch without a browser: who is let in, what every answer says, what its pages hold and tell.
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { escapeText } from '../../../src/page/html.js';
import { Tables } from '../../../src/record/tables.js';
import { routes, serveRuns } from '../../../src/watch/server.js';
import { HOSTILE, hostileRun } from '../views/run/hostile.js';
import { faultsOf, matches, TAG } from '../views/run/markup.js';

const TOKEN = 'abcdef0123456789';
let root: string;
let run: string;
let tables: Tables;
let app: Hono;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'mstar-watch-'));
  run = await hostileRun(root);
  tables = await Tables.open();
  app = routes([run], TOKEN, tables);
});
afterAll(() => {
  tables.close();
  rmSync(root, { recursive: true, force: true });
});

const get = async (path: string, of = app): Promise<Response> => of.request(`/${TOKEN}/${path}`);
const text = async (path: string, of = app): Promise<string> => (await get(path, of)).text();

/** A copy of the run that the test may change. */
function copyOf(name: string): string {
  const dir = join(root, name);
  cpSync(run, dir, { recursive: true });
  return dir;
}

/** Messages of a page's stream; ask for the next one. */
async function streamOf(of: Hono, path = 'runs/1/events') {
  const response = await get(path, of);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let rest = '';
  return {
    response,
    async next(): Promise<{ order: { id: string }[]; changed: { id: string; html: string }[]; newest: string }> {
      while (!rest.includes('\n\n')) rest += new TextDecoder().decode((await reader.read()).value);
      const [message = '', ...others] = rest.split('\n\n');
      rest = others.join('\n\n');
      return JSON.parse(/^data: (.*)$/m.exec(message)?.[1] as string);
    },
    close: () => reader.cancel(),
  };
}

describe('without the token', () => {
  test.each([
    '/',
    '/runs/1/',
    '/abcdef0123456788/runs/1/',
    '/abcdef012345678/',
    `/${TOKEN}x/`,
    `//${TOKEN}/`,
    '/favicon.ico',
  ])('%s is refused with 403 and says nothing of the run', async (path) => {
    const response = await app.request(path);
    expect(response.status).toBe(403);
    expect(await response.text()).toBe('wrong or missing token, wanted the address that mstar watch printed\n');
  });
});

describe('every answer', () => {
  test.each(['runs/1/', 'runs/1/samples', 'runs/1/run.json', 'page.css', 'browser.js', 'nothing', '../../x'])(
    '%s forbids other sources, guesses and copies',
    async (path) => {
      const { headers } = await get(path);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy.replace("style-src-attr 'unsafe-inline'", '')).not.toContain('unsafe');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    },
  );

  test('names only what the server itself has', async () => {
    const page = await text('runs/1/');
    const places = matches(page, /\s(?:src|href|action)="([^"]*)"/g);
    const outside = places.filter((place) => !/^(#|\?|data:|\.\.\/\.\.\/(page\.css|browser\.js)$)/.test(place));
    expect(outside).toEqual([]);
    const tags = [...page.matchAll(TAG)].map(([tag]) => tag.replace(/="[^"]*"/g, '=""'));
    expect(tags.filter((tag) => /^<script(?!.* src=)|^<style|\son\w+=/.test(tag))).toEqual([]);
  });
});

describe('a page', () => {
  test('has where the run is, the sections of the report and the samples, each once', async () => {
    const page = await text('runs/1/');
    expect(matches(page, /<section id="([^"]+)"/g)).toEqual([
      ...['now', 'result', 'dynamics', 'temperature', 'training', 'samples'],
      ...['selection', 'prm', 'changes', 'run', 'time'],
    ]);
    expect(page).toMatch(/data-state="finished"/);
    expect(page).toMatch(/could not be sampled/);
    expect(faultsOf(page)).toEqual([]);
  });

  test('shows texts of the model and the data as texts', async () => {
    const page = await text('runs/1/');
    for (const one of HOSTILE.map(escapeText)) expect(page.includes(one)).toBe(true);
    expect(page).not.toMatch(/<script>|<img src=https|<h1>owned/);
  });

  test('is led to from the address, and its script and styles are there', async () => {
    expect((await get('')).headers.get('location')).toBe(`/${TOKEN}/runs/1/`);
    expect((await get('browser.js')).headers.get('content-type')).toMatch(/^text\/javascript/);
    expect((await get('page.css')).headers.get('content-type')).toMatch(/^text\/css/);
    expect((await get('runs/2/')).status).toBe(404);
  });

  test('of several runs has one for all, with their curves over each other', async () => {
    const both = routes([run, copyOf('second')], TOKEN, tables);
    expect((await get('', both)).headers.get('location')).toBe(`/${TOKEN}/runs/`);
    const page = await text('runs/', both);
    expect(matches(page, /<section id="([^"]+)"/g)).toEqual(['runs', 'settings', 'test', 'dynamics', 'training']);
    expect(matches(page, /<a href="(?:\.\.\/)+(runs[^"]*)"/g)).toEqual(['runs/1/', 'runs/2/']);
    expect(await text('runs/2/', both)).toContain('<h1>second</h1>');
  });

  test('writes nothing into the folder', async () => {
    const before = readdirSync(run, { recursive: true }).sort();
    const changed = statSync(run).mtimeMs;
    await text('runs/1/');
    await text('runs/1/samples');
    expect(readdirSync(run, { recursive: true }).sort()).toEqual(before);
    expect(statSync(run).mtimeMs).toBe(changed);
  });
});

describe('samples', () => {
  test('are those of the newest iteration, a page at a time, with picture, scores and what was kept', async () => {
    const shown = await text('runs/1/samples');
    expect(shown).toMatch(/<h3[^>]*>iteration 3, all responses<\/h3>/);
    expect(matches(shown, /(<article)/g)).toHaveLength(8);
    expect(shown).toMatch(/<img class="pixels" src="data:image\/png;base64,/);
    expect(shown).toMatch(/<span class="score q\d+"/);
    expect(shown).toMatch(/★ selected/);
    const pages = Number(/page 1 of (\d+)/.exec(shown)?.[1]);
    const last = await text(`runs/1/samples?phase=iter-0003&page=${pages}`);
    const ids = (page: string): string[] => matches(page, /<header><h4>[^<]*<\/h4><code>([^<]*)/g);
    expect(ids(last).length).toBeGreaterThan(0);
    expect(ids(last).filter((id) => ids(shown).includes(id))).toEqual([]);
  });

  test.each([
    ['lucky', (row: Row) => row.lucky === true],
    ['selected', (row: Row) => row.selected],
    ['unreadable', (row: Row) => row.verdict === 'unreadable'],
    ['failed', (row: Row) => row.verdict === 'error'],
  ])('that are %s are all there are over the pages', async (show, fits) => {
    const { connection, close } = await (await import('../../../src/core/duckdb.js')).openDatabase();
    const file = join(run, 'rollouts/iter-0001.parquet');
    const reader = await connection.runAndReadAll(`select problem, verdict, lucky, selected, source from '${file}'`);
    close();
    const rows = reader.getRowObjectsJS() as unknown as Row[];
    const wanted = new Set(rows.filter(fits).map(({ problem }) => escapeText(problem)));
    expect(wanted.size).toBeGreaterThan(0);
    const found = new Set<string>();
    for (let page = 1; ; page++) {
      const ids = matches(
        await text(`runs/1/samples?phase=iter-0001&show=${show}&page=${page}`),
        /<\/h4><code>([^<]*)/g,
      );
      if (ids.length === 0) break;
      for (const id of ids) found.add(id);
    }
    expect(found).toEqual(wanted);
  });

  test('of one kind of problem are of that kind', async () => {
    const all = await text('runs/1/samples?phase=iter-0001');
    const [, kind, number] = /<option value="([a-z]+)">\1 \((\d+)\)/.exec(all.slice(all.indexOf('name="kind"'))) ?? [];
    const some = await text(`runs/1/samples?phase=iter-0001&kind=${kind}`);
    expect(some).toContain(`${number} problems; page 1 of `);
    expect(some).toContain(`<option value="${kind}" selected>`);
  });

  test.each([
    ['a phase that leads out of the folder', 'phase=../../../../etc/passwd'],
    ['an encoded one', 'phase=..%2F..%2Fbase%2Fmodel'],
    ['a phase without responses', 'phase=iter-0099'],
    ['an unknown choice', "show=lucky') or true --"],
    ['a kind that does not exist', "kind=' or 1=1 --"],
    ['a page that is not a number', 'page=0'],
    ['a page beyond all', 'page=1e99'],
  ])('%s is refused in one line', async (_, query) => {
    const response = await get(`runs/1/samples?${query}`);
    expect(response.status).toBe(400);
    const answer = await response.text();
    expect(answer).toMatch(/^\w+: ".*", wanted [^\n]*\n$/);
    expect(answer).not.toContain(root);
  });

  test('a file that a table names is shown only if it is a picture', async () => {
    const dir = copyOf('named');
    const { connection, close } = await (await import('../../../src/core/duckdb.js')).openDatabase();
    const file = join(dir, 'rollouts/iter-0003.parquet');
    await connection.run(`create table t as select * replace ('/etc/passwd' as image) from '${file}'`);
    await connection.run(`copy t to '${file}' (format parquet)`);
    close();
    const shown = await text('runs/1/samples', routes([dir], TOKEN, tables));
    expect(shown).toContain('<article class="problem">');
    expect(shown).not.toContain('<img');
    expect(shown).not.toContain('root:');
  });
});

interface Row {
  readonly problem: string;
  readonly verdict: string;
  readonly lucky: boolean | null;
  readonly selected: boolean;
}

describe('the numbers of a run', () => {
  test('are there for programs', async () => {
    const numbers = (await (await get('runs/1/run.json')).json()) as Record<string, unknown>;
    const summary = JSON.parse(readFileSync(join(run, 'summary.json'), 'utf8'));
    expect(numbers).toMatchObject({ name: 'run', state: 'finished', prm: summary.prm, dynamics: summary.dynamics });
    expect((numbers.phases as object[]).length).toBe(Object.keys(summary.phases).length);
  });
});

describe('events', () => {
  test('tell all sections once, then what changed, whoever else listens', async () => {
    const dir = copyOf('events');
    const journal = join(dir, 'journal.jsonl');
    const lines = readFileSync(journal, 'utf8').trimEnd().split('\n');
    writeFileSync(
      journal,
      lines
        .slice(0, -4)
        .map((line) => `${line}\n`)
        .join(''),
    );
    const one = routes([dir], TOKEN, tables);
    const [first, second] = [await streamOf(one), await streamOf(one)];
    expect(first.response.headers.get('content-type')).toBe('text/event-stream');
    const all = await first.next();
    await second.next();
    expect(all.changed.map(({ id }) => id)).toEqual(all.order.map(({ id }) => id));
    expect(all.newest).toBe('iter-0003');
    expect(all.changed[0]?.html).toContain('data-state="stopped"');

    writeFileSync(join(dir, 'lock-elsewhere-12-34'), '');
    const at = Date.now() / 1000;
    const live = {
      at,
      title: 'iter-0003: training',
      done: 1,
      total: 4,
      fraction: 0.5,
      secondsLeft: 90,
      tokensPerSecond: 12,
    };
    writeFileSync(
      join(dir, 'progress.json'),
      JSON.stringify({ ...live, residentBytes: 2 ** 30, ranks: ['rank 0: busy'] }),
    );
    const change = await first.next();
    expect(change.changed.map(({ id }) => id)).toEqual(['now']);
    for (const wanted of ['50.0 %', '1 min 30 s', 'iter-0003: training', '1 of 4', '1.00 GiB', 'rank 0: busy'])
      expect(change.changed[0]?.html).toContain(wanted);
    expect((await second.next()).changed).toEqual(change.changed);

    appendFileSync(
      journal,
      lines
        .slice(-4)
        .map((line) => `${line}\n`)
        .join(''),
    );
    let told = await first.next();
    while (!told.changed.some(({ id }) => id === 'result')) told = await first.next();
    expect(told.changed.find(({ id }) => id === 'result')?.html).not.toContain('This run is not finished');
    await first.close();
    await second.close();
  }, 60_000);

  test('of a run that has not begun, or is damaged, say so', async () => {
    const dir = join(root, 'later');
    const later = routes([dir], TOKEN, tables);
    expect(await text('runs/1/', later)).toContain('waiting for the run to begin');
    cpSync(run, dir, { recursive: true });
    // Sections may lag behind the folder by a multiple of what it takes to make them.
    const told = (): Promise<string> => text('runs/1/', later);
    await expect.poll(told).toContain('data-state="finished"');
    const journal = join(dir, 'journal.jsonl');
    const lines = readFileSync(journal, 'utf8').split('\n');
    writeFileSync(journal, ['damaged', ...lines.slice(1)].join('\n'));
    await expect.poll(told, { timeout: 60_000, interval: 500 }).toMatch(/journal\.jsonl:1: event: damaged/);
    expect(await told()).toContain('<section id="result"');
    const damaged = routes([dir], TOKEN, tables);
    expect(await text('runs/1/', damaged)).toMatch(/journal\.jsonl:1: event: damaged/);
  });
});

describe('the server', () => {
  test('listens at loopback with a token of its own, and ends although a page is open', async () => {
    const { url, close } = await serveRuns([run], { host: '127.0.0.1', port: 0 });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}\/$/);
    const open = await fetch(new URL('runs/1/events', url));
    expect(open.status).toBe(200);
    expect((await fetch(new URL('/', url))).status).toBe(403);
    const port = Number(new URL(url).port);
    await expect(serveRuns([run], { host: '127.0.0.1', port })).rejects.toThrow(
      `--port: ${port}: in use, wanted a free one, or 0 to have one found`,
    );
    await close();
    await expect(fetch(url)).rejects.toThrow();
  });
});
