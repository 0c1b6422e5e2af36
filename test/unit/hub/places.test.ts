// Paths of the hub against a local server: what is downloaded and what is not, faults on the way, refusals.
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { loadProblems } from '../../../src/data/problems.js';
import { atCommit, parseName } from '../../../src/hub/names.js';
import { type FindOptions, findData, findPlace, findPlaces } from '../../../src/hub/places.js';
import type { Moment } from '../../../src/run/terminal.js';
import { type HubServer, hubServer } from '../../fakes/hub-server.js';
import { removeTemporary, temporary } from '../../fakes/model-folder.js';
import { pngFile } from '../../fakes/png.js';

const [FIRST, SECOND] = ['1'.repeat(40), '2'.repeat(40)] as const;
const WEIGHTS = Uint8Array.from({ length: 100_000 }, (_, i) => (i * i) % 251);
const files = {
  'config.json': '{"model_type":"qwen3_vl"}',
  'model.safetensors': WEIGHTS,
  'tokenizer.json': '{}',
  'preprocessor_config.json': '{ }',
};
const others = {
  'README.md': 'text',
  'pytorch_model.bin': WEIGHTS,
  'consolidated.safetensors': WEIGHTS,
  'onnx/model.onnx': WEIGHTS,
};
const MODEL = 'hf:org/model';

let hub: HubServer;
let cache: string;
beforeEach(async () => {
  hub = await hubServer();
  hub.publish('models/org/model', { commit: FIRST, files: { ...files, ...others } });
  cache = temporary();
  vi.stubEnv('HF_ENDPOINT', hub.url);
  vi.stubEnv('HF_HUB_CACHE', cache);
  vi.stubEnv('HF_HOME', cache);
  vi.stubEnv('HF_TOKEN', undefined);
  vi.stubEnv('HF_HUB_OFFLINE', undefined);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await hub.close();
});
afterAll(removeTemporary);

const quick: FindOptions = { waitMs: 5 };
const find = (path = MODEL, options: FindOptions = {}) => findPlace(path, { ...quick, ...options });
const refusal = (path = MODEL) => find(path).then(String, (error: Error) => error.message.replaceAll(cache, 'CACHE'));
const weightsIn = (place: string) => readFileSync(join(place, 'model.safetensors'));
/** Ranges that were asked of the weights. */
const ranges = () => hub.requests.flatMap((one) => /^GET \/stored.*model\.safetensors ?(.*)$/.exec(one)?.[1] ?? []);

describe('names', () => {
  test.each([
    ['hf:Qwen/Qwen3-VL-2B-Instruct', 'model', 'Qwen/Qwen3-VL-2B-Instruct', 'main', ''],
    ['hf://org/name@v1.0', 'model', 'org/name', 'v1.0', ''],
    ['hf:org/name@refs%2Fpr%2F1/sub/folder/', 'model', 'org/name', 'refs/pr/1', 'sub/folder'],
    ['hf:datasets/org/name/data/a-00000.parquet', 'dataset', 'org/name', 'main', 'data/a-00000.parquet'],
  ])('%s', (written, type, repo, revision, path) => {
    expect(parseName(written)).toEqual({ written, type, repo, revision, path });
    const at = { ...parseName(atCommit(written, FIRST)), written };
    expect(at).toEqual({ written, type, repo, revision: FIRST, path });
  });

  test.each([
    ['hf:name', 'no name on the hub'],
    ['hf:org/name@../../x', 'empty or dotted parts'],
    ['hf:org/name@..', 'empty or dotted parts'],
    ['hf:datasets/org/name/../x', 'empty or dotted parts'],
    ['hf:datasets/org/name', 'a whole data set'],
    ['hf:datasets/name', 'a data set without its owner'],
    ['hf:datasets/name@main/a.json', 'a data set without its owner'],
    ['hf:org/..', 'empty or dotted parts'],
  ])('%s is refused', (written, found) => {
    expect(() => parseName(written)).toThrow(`${written}: path: ${found}, wanted `);
  });
});

describe('a model', () => {
  test('is downloaded in the layout of the cache, without weights of other forms', async () => {
    const place = await find();
    expect(place).toBe(join(cache, 'models--org--model', 'snapshots', FIRST));
    expect(readdirSync(place).sort()).toEqual(Object.keys(files).sort());
    expect(weightsIn(place).equals(WEIGHTS)).toBe(true);
    expect(readFileSync(join(cache, 'models--org--model/refs/main'), 'utf8')).toBe(FIRST);
    expect(realpathSync(join(place, 'config.json'))).toMatch(/models--org--model\/blobs\/[0-9a-f]{40}$/);
    expect(realpathSync(join(place, 'model.safetensors'))).toMatch(/blobs\/[0-9a-f]{64}$/);
  });

  test('that the cache holds is used without a question, as are paths that are not of the hub', async () => {
    const place = await find();
    await hub.close();
    const { of, commits } = await findPlaces([MODEL, '/some/folder', undefined], quick);
    expect([of(MODEL), of('/some/folder'), commits]).toEqual([place, '/some/folder', { [MODEL]: FIRST }]);
  });

  test('of which another program has left a part is completed', async () => {
    const place = await find();
    for (const name of ['model.safetensors', 'preprocessor_config.json']) rmSync(realpathSync(join(place, name)));
    hub.requests.length = 0;
    expect(await find()).toBe(place);
    expect(weightsIn(place).equals(WEIGHTS)).toBe(true);
    expect(hub.requests.some((one) => one.includes('resolve') && one.includes('config.json'))).toBe(true);
    expect(hub.requests.some((one) => one.includes('tokenizer.json'))).toBe(false);
  });

  test('is asked for shard by shard where an index names them', async () => {
    const index = JSON.stringify({ weight_map: { a: 'model-1.safetensors', b: 'model-2.safetensors' } });
    const { 'model.safetensors': _, ...rest } = files;
    const sharded = {
      'model.safetensors.index.json': index,
      'model-1.safetensors': WEIGHTS,
      'model-2.safetensors': 'b',
    };
    hub.publish('models/org/model', { commit: FIRST, files: { ...rest, ...sharded } });
    const place = await find();
    rmSync(join(place, 'model-2.safetensors'));
    hub.requests.length = 0;
    await find();
    expect(existsSync(join(place, 'model-2.safetensors'))).toBe(true);
  });

  test('stays at the commit that a run began with, and is taken anew where a revision says so', async () => {
    const old = await find();
    hub.publish('models/org/model', { commit: SECOND, files });
    rmSync(join(cache, 'models--org--model'), { recursive: true });
    expect(await find(MODEL, { commits: { [MODEL]: FIRST } })).toBe(old);
    expect(await find(`${MODEL}@${SECOND}`)).toBe(old.replace(FIRST, SECOND));
  });

  test('shows the bytes, their rate and the time left', async () => {
    const moments: Moment[] = [];
    await find(MODEL, { display: { show: (one) => moments.push(one), say() {}, close() {} } });
    expect(moments.at(-1)).toMatchObject({ title: 'downloading org/model, MB', fraction: 1, secondsLeft: 0 });
    expect(moments.at(-1)?.note).toMatch(/^\d+\.\d MB\/s$/);
  });

  test('is downloaded once where several ask for it at once', async () => {
    const found = await Promise.all([find(), find(), find()]);
    expect(new Set(found).size).toBe(1);
    expect(ranges().filter((range) => range === '')).toHaveLength(1);
  });
});

describe('a download', () => {
  test('goes on where the connection was cut', async () => {
    let cuts = 0;
    hub.fault = (path, range) =>
      path === 'model.safetensors' && range !== 'bytes=0-0' && cuts++ < 4 ? { cutAfter: 30_000 } : undefined;
    expect(weightsIn(await find()).equals(WEIGHTS)).toBe(true);
    expect(ranges().filter((range) => range !== 'bytes=0-0')).toEqual([
      '',
      ...[30_000, 60_000, 90_000].map((begin) => `bytes=${begin}-99999`),
    ]);
  });

  test('that was stopped is gone on with by the next', async () => {
    hub.fault = (path) => (path === 'model.safetensors' ? { stallAfter: 40_000 } : undefined);
    const stop = new AbortController();
    const show = ({ fraction }: Moment): void => {
      if (fraction > 0.39) stop.abort();
    };
    const display = { show, say() {}, close() {} };
    await expect(find(MODEL, { signal: stop.signal, display })).rejects.toMatchObject({ name: 'AbortError' });
    hub.fault = () => undefined;
    expect(weightsIn(await find()).equals(WEIGHTS)).toBe(true);
    const asked = ranges().at(-1) as string;
    expect(Number(/bytes=(\d+)-99999/.exec(asked)?.[1])).toBeGreaterThan(30_000);
  });

  test('begins anew where the server knows no ranges', async () => {
    const blobs = join(cache, 'models--org--model/blobs');
    mkdirSync(blobs, { recursive: true });
    const { oid } = await largeBlob();
    writeFileSync(join(blobs, `${oid}.incomplete`), WEIGHTS.subarray(0, 50_000));
    hub.fault = () => ({ withoutRanges: true });
    expect(weightsIn(await find()).equals(WEIGHTS)).toBe(true);
  });

  test('is refused where other bytes come than the hub lists, and nothing of them stays', async () => {
    hub.fault = (path) => (path === 'config.json' ? { bytes: Buffer.from('{"model_type":"qwen2_vl"}') } : undefined);
    expect(await refusal()).toMatch(/^hf:org\/model: config\.json: git id [0-9a-f]{40}, wanted [0-9a-f]{40} \(/);
    const bytes = WEIGHTS.slice().fill(7, 0, 10);
    hub.fault = (path) => (path === 'model.safetensors' ? { bytes } : undefined);
    expect(await refusal()).toMatch(/^hf:org\/model: model\.safetensors: SHA-256 [0-9a-f]{64}, wanted [0-9a-f]{64} \(/);
    hub.fault = (path) => (path === 'model.safetensors' ? { bytes: bytes.subarray(1) } : undefined);
    expect(await refusal()).toMatch(/^hf:org\/model: model\.safetensors: 99999 bytes sent, wanted 100000 \(/);
    expect(readdirSync(join(cache, 'models--org--model/blobs')).filter((name) => name.endsWith('.incomplete'))).toEqual(
      [],
    );
    hub.fault = () => undefined;
    expect(weightsIn(await find()).equals(WEIGHTS)).toBe(true);
  });

  test('ends after several tries in which nothing comes, and says that it can be gone on with', async () => {
    hub.fault = (path) => (path === 'model.safetensors' ? { status: 503 } : undefined);
    expect(await refusal()).toBe(
      'hf:org/model: model.safetensors: status 503 after 0 of 100000 bytes, wanted all (the same command goes on from there)',
    );
  });
});

/** The blob that the weights become. */
async function largeBlob(): Promise<{ oid: string }> {
  const { createHash } = await import('node:crypto');
  return { oid: createHash('sha256').update(WEIGHTS).digest('hex') };
}

describe('refusals', () => {
  test('a repository that is not there, or is another’s', async () => {
    expect(await refusal('hf:org/none')).toBe(
      'hf:org/none: hub: status 404, wanted a repository and a revision that are there',
    );
    hub.token = 'hf_secret';
    expect(await refusal()).toMatch(/^hf:org\/model: hub: status 401, wanted .*HF_TOKEN/);
    vi.stubEnv('HF_TOKEN', 'hf_secret');
    expect(weightsIn(await find()).equals(WEIGHTS)).toBe(true);
  });

  test('the token may stand in the file where hf auth login puts it', async () => {
    hub.token = 'hf_secret';
    writeFileSync(join(cache, 'token'), 'hf_secret\n');
    expect(weightsIn(await find()).equals(WEIGHTS)).toBe(true);
  });

  test('a token that cannot be read is named by its file', async () => {
    mkdirSync(join(cache, 'token'));
    expect(await refusal()).toBe('CACHE/token: token: is a folder, wanted the file that hf auth login writes');
  });

  test('what a server lists outside its repository is not written', async () => {
    hub.publish('datasets/org/data', { commit: FIRST, files: { 'images/../../../../../out.png': 'x' } });
    expect(await refusal('hf:datasets/org/data/images')).toBe(
      '"images/../../../../../out.png": hub: listed as a file, wanted a plain path',
    );
    hub.publish('models/org/model', { commit: '../../../../out', files });
    expect(await refusal()).toBe('org/model: hub: "../../../../out", wanted a commit');
    expect(readdirSync(cache)).not.toContain('out');
  });

  test('without a network, or where it is not to be used, one line says what to copy where', async () => {
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    expect(await refusal()).toBe(
      'hf:org/model: hub: HF_HUB_OFFLINE is set, and CACHE/models--org--model lacks it; wanted that folder copied from a machine where `hf download org/model` was run, or a path to the files',
    );
    expect(hub.requests).toEqual([]);
    vi.stubEnv('HF_HUB_OFFLINE', undefined);
    await hub.close();
    expect(await refusal('hf:datasets/org/data/train.csv')).toMatch(
      /^hf:datasets\/org\/data\/train\.csv: hub: http:\S+ cannot be asked \(ECONNREFUSED\), and CACHE\/datasets--org--data lacks it; wanted .*`hf download --repo-type dataset org\/data train\.csv`/,
    );
  });

  test('offline a model is used whose repository may lack what most have, and no other', async () => {
    const place = await find();
    vi.stubEnv('HF_HUB_OFFLINE', 'true');
    rmSync(join(place, 'preprocessor_config.json'));
    expect(await find()).toBe(place);
    rmSync(join(place, 'tokenizer.json'));
    expect(await refusal()).toMatch(/models--org--model lacks its tokenizer, preprocessor_config\.json; wanted/);
  });
});

describe('a data set', () => {
  const table = 'question,answer,image\nHow many?,2,a.png\n';
  const pictures = {
    'images/a.png': pngFile({ width: 1, height: 1, rows: [[1, 2, 3]] }),
    'images/deep/b.png': 'other',
  };

  beforeEach(() => {
    const data = { 'data/train.csv': table, 'data/test.csv': table, ...pictures };
    hub.publish('datasets/org/data', { commit: FIRST, files: data });
  });

  test('is a file, of which no other comes along', async () => {
    const { file, reading } = await findData('hf:datasets/org/data/data/train.csv', {}, quick);
    expect(readFileSync(file, 'utf8')).toBe(table);
    expect(reading.imageRoot).toBe(join(cache, 'datasets--org--data/snapshots', FIRST, 'data'));
    expect(readdirSync(reading.imageRoot)).toEqual(['train.csv']);
  });

  test('may name a folder of pictures, which comes whole and is read through its links', async () => {
    const root = 'hf:datasets/org/data/images';
    const { file, reading } = await findData('hf:datasets/org/data/data/train.csv', { imageRoot: root }, quick);
    expect(readdirSync(reading.imageRoot).sort()).toEqual(['a.png', 'deep']);
    const [problem] = await loadProblems(file, reading);
    expect(problem).toMatchObject({ question: 'How many?', answer: '2' });
    expect(problem?.images[0]).toHaveProperty('path');
  });

  test('that lacks the file is refused', async () => {
    expect(await refusal('hf:datasets/org/data/none.csv')).toBe(
      'hf:datasets/org/data/none.csv: hub: no none.csv in org/data, wanted a file or folder of it',
    );
  });
});
