// Weight files as they come: sharded, under other names, held twice; and what is refused, by name, on every backbone.
import { afterAll, describe, expect, test } from 'vitest';
import { openFolder } from '../../src/checkpoint/folder.js';
import { type OpenedModel, openModel } from '../../src/engine/open.js';
import { NativePolicy } from '../../src/engine/policy.js';
import { tinyBackbone, tinyBackbones } from '../fakes/backbones.js';
import { removeTemporary } from '../fakes/model-folder.js';
import { changed, type Stored, sharded, stored } from '../fakes/weights.js';

afterAll(removeTemporary);

async function opened<T>(dir: string, head: 'none' | 'load', work: (model: OpenedModel) => Promise<T>): Promise<T> {
  const model = await openModel(dir, { device: 'cpu', dtype: 'float32', threads: 1 }, head);
  try {
    return await work(model);
  } finally {
    await model.native.dispose();
  }
}

const rates = (dir: string, head: 'none' | 'load' = 'none') =>
  opened(dir, head, async ({ native, backbone, tokenizer }) => {
    const tokens = Int32Array.from([tokenizer.idOf(backbone.begin) as number, ...tokenizer.encode('ab')]);
    const example = { tokens, images: [], response: tokenizer.encode('cab') };
    return head === 'none' ? native.logprobs([example]) : native.score([example], [Uint32Array.of(0, 1, 2)]);
  });
const refusal = (dir: string): Promise<unknown> =>
  rates(dir).then(
    () => 'opened',
    (error: Error) => error.message,
  );

describe.each(Object.keys(tinyBackbones))('%s', (name) => {
  test('three shards hold what one file held, and are saved as three', async () => {
    const one = await rates(await tinyBackbone(name));
    const dir = await sharded(await tinyBackbone(name), 3);
    expect(await rates(dir)).toEqual(one);
    await opened(dir, 'none', (model) => new NativePolicy(model, undefined as never).save(`${dir}-saved`));
    expect(await rates(`${dir}-saved`)).toEqual(one);
    const files = async (folder: string) =>
      (await openFolder(folder)).weights.map(({ tensors }) => tensors.map((t) => t.name));
    expect(await files(`${dir}-saved`)).toEqual(await files(dir));
  });

  test('a missing, surplus or misshaped weight is refused by its name', async () => {
    const first = (await stored(await tinyBackbone(name)))[0] as Stored;
    expect(await refusal(await changed(await tinyBackbone(name), ([, ...rest]) => rest))).toContain(
      `"${first.name}": missing`,
    );
    const more = { ...first, name: 'more.weight' };
    expect(await refusal(await changed(await tinyBackbone(name), (all) => [...all, more]))).toContain(
      '"more.weight": surplus',
    );
    const longer = { ...first, shape: [...first.shape, 1] };
    expect(await refusal(await changed(await tinyBackbone(name), ([, ...rest]) => [longer, ...rest]))).toContain(
      `"${first.name}": shape [${longer.shape}]`,
    );
  });

  test('integers and numbers that are not finite are refused by the name of the weight', async () => {
    const first = (await stored(await tinyBackbone(name)))[0] as Stored;
    const integers = { ...first, dtype: 'I32' as never };
    const message = await refusal(
      await changed(await tinyBackbone(name), ([, ...rest]) => [integers, ...rest]).catch(
        (error: Error) => error.message,
      ),
    );
    expect(message).toMatch(new RegExp(`${first.name.replaceAll('.', '\\.')}.*I32`));
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const bytes = Uint8Array.from(first.bytes);
      new DataView(bytes.buffer).setFloat32(bytes.length - 4, value, true);
      const dir = await changed(await tinyBackbone(name), ([, ...rest]) => [{ ...first, bytes }, ...rest]);
      expect(await refusal(dir)).toContain(`${first.name}: holds a value that is not finite`);
    }
  });

  test('the scalar head of another trainer is taken, and saved under its own name', async () => {
    const width = (await opened(await tinyBackbone(name), 'none', async (m) => m.numbers.l_hidden)) as number;
    const head = (prefix: string): Stored[] => [
      {
        name: `${prefix}.weight`,
        dtype: 'F32',
        shape: [1, width],
        bytes: new Uint8Array(new Float32Array(width).fill(0.5).buffer),
      },
      { name: `${prefix}.bias`, dtype: 'F32', shape: [1], bytes: new Uint8Array(Float32Array.of(0.25).buffer) },
    ];
    const own = await changed(await tinyBackbone(name), (all) => [...all, ...head('reward_head')]);
    const other = await changed(await tinyBackbone(name), (all) => [...all, ...head('score_head')]);
    const scores = await rates(own, 'load');
    expect(scores[0]).toHaveLength(3);
    expect(await rates(other, 'load')).toEqual(scores);
    await opened(other, 'load', (model) => new NativePolicy(model, undefined as never).save(`${other}-saved`));
    expect((await stored(`${other}-saved`)).map((tensor) => tensor.name)).toContain('score_head.weight');
    expect(await rates(`${other}-saved`, 'load')).toEqual(scores);
  });
});

describe('a table that two modules share', () => {
  const [shared, alias] = ['model.embed_tokens.weight', 'model.vision_embed_tokens.wte.weight'];
  const copyOf = (all: readonly Stored[]) => ({ ...(all.find(({ name }) => name === shared) as Stored), name: alias });

  test('is read under either name or both, and saved as it was', async () => {
    const one = await rates(await tinyBackbone('phi3v'));
    const twice = await changed(await tinyBackbone('phi3v'), (all) => [...all, copyOf(all)]);
    const renamed = await changed(await tinyBackbone('phi3v'), (all) => [
      copyOf(all),
      ...all.filter(({ name }) => name !== shared),
    ]);
    for (const dir of [twice, renamed]) {
      expect(await rates(dir)).toEqual(one);
      await opened(dir, 'none', (model) => new NativePolicy(model, undefined as never).save(`${dir}-saved`));
      expect(await stored(`${dir}-saved`)).toEqual(await stored(dir));
    }
  });

  test('is refused where its copies differ', async () => {
    const dir = await changed(await tinyBackbone('phi3v'), (all) => {
      const copy = copyOf(all);
      const bytes = Uint8Array.from(copy.bytes);
      bytes[0] = (bytes[0] as number) ^ 1;
      return [...all, { ...copy, bytes }];
    });
    expect(await refusal(dir)).toContain(`"${alias}": differs from "${shared}"`);
  });
});
