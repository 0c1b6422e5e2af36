import { afterEach, describe, expect, it } from 'vitest';
import { EngineError, Stopped, UserError } from '../../../src/core/errors.js';
import { type Answerer, connectRank, serveRank } from '../../../src/distributed/control.js';

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

async function pair(answer: Answerer, secret = 'a secret', said = secret) {
  const server = await serveRank('127.0.0.1', { secret }, answer);
  const client = connectRank('rank 3', `127.0.0.1:${server.port}`, { secret: said });
  open.push(client, server);
  return { server, client };
}

describe('a call to a rank', () => {
  it('carries plain data, typed arrays of every kind and bytes both ways', async () => {
    const { client } = await pair(async ({ verb, args }) => ({ verb, args }));
    const args = [
      { text: 'á', none: null, list: [1, 2.5, -3] },
      Int32Array.of(1, -(2 ** 31)),
      Uint32Array.of(2 ** 32 - 1),
      Float32Array.of(Number.NaN, 0.1),
      Float64Array.of(0.1),
      Uint8Array.of(0, 255),
    ];
    expect(await client.call({ verb: 'rollout', args })).toEqual({ verb: 'rollout', args });
  });

  it('that answers nothing resolves', async () => {
    const { client } = await pair(async () => {});
    expect(await client.call({ verb: 'dispose', args: [] })).toBeNull();
  });

  it('carries more than the four mebibytes that gRPC allows by default', async () => {
    const { client } = await pair(async ({ args: [array] }) => (array as Float32Array).length);
    expect(await client.call({ verb: 'score', args: [new Float32Array(4_000_000)] })).toBe(4_000_000);
  });

  it('tells progress in order before its answer', async () => {
    const { client } = await pair(async (_, progress) => {
      for (const done of [1, 2, 3]) progress(done);
      return 'done';
    });
    const seen: unknown[] = [];
    expect(await client.call({ verb: 'rollout', args: [] }, { onProgress: (value) => seen.push(value) })).toBe('done');
    expect(seen).toEqual([1, 2, 3]);
  });

  it.each([new UserError('picture.png: not a picture'), new EngineError('ERR_MEMORY', 'out of memory'), new Stopped()])(
    'that fails rejects as it would here: $name',
    async (error) => {
      const { client } = await pair(async () => {
        throw error;
      });
      const rejected = await client.call({ verb: 'step', args: [] }).catch((reason: unknown) => reason);
      expect(rejected).toBeInstanceOf(error.constructor);
      expect(rejected).toMatchObject({ message: error.message, name: error.name });
    },
  );

  it('with another secret is refused before the rank looks at it', async () => {
    let asked = 0;
    const { client } = await pair(async () => ++asked, 'ours', 'theirs');
    await expect(client.call({ verb: 'open', args: [] })).rejects.toThrow(/rank 3 .* secret differs/);
    expect(asked).toBe(0);
  });

  it('that is aborted rejects with Stopped, and the rank is told', async () => {
    let told: () => void;
    const toldToStop = new Promise<void>((resolve) => {
      told = resolve;
    });
    const { client } = await pair((_, progress, signal) => {
      progress('began');
      return new Promise(() => signal.addEventListener('abort', () => told()));
    });
    const abort = new AbortController();
    const call = client.call(
      { verb: 'rollout', args: [] },
      { signal: abort.signal, onProgress: () => abort.abort('enough') },
    );
    await expect(call).rejects.toBeInstanceOf(Stopped);
    await toldToStop;
  });

  it('to a rank that ends meanwhile rejects and names the rank', async () => {
    const { client, server } = await pair(() => {
      server.close();
      return new Promise(() => {});
    });
    await expect(client.call({ verb: 'rollout', args: [] })).rejects.toThrow(/^rank 3 has ended, or its machine/);
  });
});
