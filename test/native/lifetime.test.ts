// How the native side behaves around the edges of a process: cancelling, disposing, worker threads, exit, errors, the event loop.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { addon } from '../../src/engine/binding.js';
import { image, never, open, prompt, removeTemporary, sampling, spec } from './tiny-model.js';

afterAll(removeTemporary);
const binary = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../.native/Release/mstar.node');
const endless = sampling({ maxTokens: 100000, stop: new Int32Array(0) });

test('memory that is not there is an error of one line with code ERR_MEMORY', () => {
  const ask = () => addon().checks.probe('cpu', 'float32', 2 ** 50, 8);
  expect(ask).toThrow(expect.objectContaining({ code: 'ERR_MEMORY', message: expect.stringMatching(/^[^\n]+$/) }));
});

describe('cancelling', () => {
  test('a raised flag stops a rollout between tokens with code ERR_CANCELLED', async () => {
    const model = await open();
    const flag = never();
    const running = model.rollout([{ ...prompt(model, 1, [image(1)]), n: 64, key: 'k' }], endless, flag, null, null);
    setTimeout(() => flag.cancel(), 50);
    await expect(running).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
    await expect(model.logprobs([{ ...prompt(model, 1), response: Int32Array.of(4, 5) }])).resolves.toHaveLength(1);
    await model.dispose();
  });

  test('dispose stops running work and later calls are refused', async () => {
    const model = await open();
    const running = model.rollout([{ ...prompt(model, 1), n: 64, key: 'k' }], endless, never(), null, null);
    const failed = expect(running).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
    await new Promise((resolve) => setTimeout(resolve, 30));
    await model.dispose();
    await failed;
    expect(() => model.logprobs([])).toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }));
    await expect(model.dispose()).resolves.toBeUndefined();
  });

  test('hooks see every response and the counts so far', async () => {
    const model = await open();
    const seen: string[] = [];
    let last: number[] = [];
    const result = await model.rollout(
      [0, 1, 2].map((i) => ({ ...prompt(model, i), n: 3, key: `k${i}` })),
      sampling(),
      never(),
      (request, sample, response) => seen.push(`${request}.${sample}:${response.tokens.join()}`),
      (...counts) => {
        last = counts;
      },
    );
    const expected = result.responses.flatMap((row, i) => row.map((r, j) => `${i}.${j}:${r.tokens.join()}`));
    expect(seen.sort()).toEqual(expected.sort());
    expect(last).toEqual([9, 9, result.decodeTokens]);
    await model.dispose();
  });
});

describe('errors', () => {
  test('engine failures reject with a code and one line', async () => {
    const model = await open();
    const wrong = { tokens: Int32Array.of(1, 60, 3), images: [], response: Int32Array.of(4) };
    const failure = await model.logprobs([wrong]).catch((error: Error) => error);
    expect(failure).toMatchObject({
      code: 'ERR_ENGINE',
      message: 'the prompt has 1 image tokens, its pictures make 0',
    });
    await model.dispose();
  });

  test('wrong JavaScript types are refused by field', async () => {
    const model = await open();
    const bad = { tokens: [1, 2], images: [], response: Int32Array.of(4) } as never;
    expect(() => model.logprobs([bad])).toThrow('tokens: wanted an Int32Array');
    await model.dispose();
  });

  test('an unknown backbone names the ones there are', () => {
    expect(() => addon().parameterShapes('nothing', {})).toThrow(
      "no backbone named 'nothing'; this build has: internvl2",
    );
  });

  test('a weight that is not finite is refused by name', async () => {
    const broken = spec();
    const { writeFileSync, readFileSync } = await import('node:fs');
    const [file] = broken.weights;
    const bytes = readFileSync(file?.path ?? '');
    bytes.writeFloatLE(Number.NaN, (file?.tensors[9]?.begin ?? 0) + 4);
    writeFileSync(file?.path ?? '', bytes);
    await expect(addon().loadModel(broken)).rejects.toThrow(
      `${file?.tensors[9]?.name}: holds a value that is not finite`,
    );
  });
});

test('the event loop keeps turning during a rollout and a train step', async () => {
  const model = await open();
  let ticks = 0;
  const timer = setInterval(() => ticks++, 2);
  const flag = never();
  setTimeout(() => flag.cancel(), 150);
  await model.rollout([{ ...prompt(model, 1), n: 64, key: 'k' }], endless, flag, null, null).catch(() => undefined);
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(15);
  await model.dispose();
});

/** Runs a script in a process of its own; it gets the addon as `addon` and an opened model's spec as `spec`. */
function script(body: string): { status: number | null; signal: string | null; stderr: string; stdout: string } {
  const source = `const { createRequire } = require('node:module'); const addon = require(${JSON.stringify(binary)});
    const spec = ${JSON.stringify(spec())};
    const request = { tokens: Int32Array.of(1, 7, 8, 9), images: [], n: 64, key: 'k' };
    const endless = { temperature: 1, topK: 0, topP: 1, maxTokens: 1000000, seed: 1, stop: new Int32Array(0) };
    (async () => { ${body} })();`;
  const { status, signal, stderr, stdout } = spawnSync(process.execPath, ['-e', source], {
    encoding: 'utf8',
    timeout: 60000,
  });
  return { status, signal, stderr, stdout };
}

describe('the end of a process', () => {
  test('process.exit in the middle of a rollout is clean', () => {
    const run = script(`const model = await addon.loadModel(spec);
      model.rollout([request], endless, new addon.CancelFlag(), () => {}, () => {}).catch(() => {});
      setTimeout(() => process.exit(3), 100);`);
    expect(run).toMatchObject({ status: 3, signal: null, stderr: '' });
  });

  test('an idle model does not keep the process alive', () => {
    const run = script(`await addon.loadModel(spec); console.log('loaded');`);
    expect(run).toMatchObject({ status: 0, signal: null, stderr: '', stdout: 'loaded\n' });
  });

  test('a worker thread can load, work and be terminated in the middle', () => {
    const run = script(`const { Worker } = require('node:worker_threads');
      const worker = new Worker(\`const addon = require(${JSON.stringify(binary)});
        const { parentPort, workerData } = require('node:worker_threads');
        addon.loadModel(workerData).then(async (model) => {
          await model.logprobs([{ tokens: Int32Array.of(1, 7), images: [], response: Int32Array.of(9) }]);
          parentPort.postMessage('ready');
          await model.rollout([{ tokens: Int32Array.of(1, 7, 8, 9), images: [], n: 64, key: 'k' }],
            { temperature: 1, topK: 0, topP: 1, maxTokens: 1000000, seed: 1, stop: new Int32Array(0) }, new addon.CancelFlag(), () => {}, () => {});
        });\`, { eval: true, workerData: spec });
      worker.on('message', () => setTimeout(async () => { await worker.terminate(); console.log('terminated'); }, 100));`);
    expect(run).toMatchObject({ status: 0, signal: null, stderr: '', stdout: 'terminated\n' });
  });
});
