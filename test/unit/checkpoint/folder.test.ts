// Model folders: single file, shards, what is confined and refused; saving keeps the form.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openFolder, parseSideFile } from '../../../src/checkpoint/folder.js';
import { checkParameters, rewardHeadShapes } from '../../../src/checkpoint/parameters.js';
import { buildHeader, type StoredDtype, type TensorPlan } from '../../../src/checkpoint/safetensors.js';
import { planWeights, saveFile, type WeightPlan, writeFolder } from '../../../src/checkpoint/save.js';
import { counterFile, isTrainerFile, planTrainer, readTrainer } from '../../../src/checkpoint/trainer.js';
import { removeTemporary, temporary } from '../../fakes/model-folder.js';

afterAll(removeTemporary);

const plan = (name: string, shape: number[] = [2], dtype: TensorPlan['dtype'] = 'F32'): TensorPlan => ({
  name,
  shape,
  dtype,
});
const bytesOf = (plans: readonly TensorPlan<StoredDtype>[]) =>
  plans.reduce(
    (sum, { dtype, shape }) => sum + shape.reduce((product, size) => product * size, dtype === 'F32' ? 4 : 2),
    0,
  );

function writeWeights(dir: string, file: string, plans: readonly TensorPlan<StoredDtype>[]): void {
  writeFileSync(join(dir, file), Buffer.concat([buildHeader(plans), new Uint8Array(bytesOf(plans))]));
}

function folder(files: Readonly<Record<string, readonly TensorPlan[]>>, index?: object): string {
  const dir = temporary();
  writeFileSync(join(dir, 'config.json'), '{"a": 1}');
  for (const [file, plans] of Object.entries(files)) writeWeights(dir, file, plans);
  if (index) writeFileSync(join(dir, 'model.safetensors.index.json'), JSON.stringify(index));
  return dir;
}

const shards = { 'model-1.safetensors': [plan('x'), plan('y', [1], 'BF16')], 'model-2.safetensors': [plan('z', [3])] };
const map = { x: 'model-1.safetensors', y: 'model-1.safetensors', z: 'model-2.safetensors' };

describe('opening', () => {
  test('a single file', async () => {
    const dir = folder({ 'model.safetensors': [plan('x')] });
    writeFileSync(join(dir, 'tokenizer.model'), 'abc');
    writeFileSync(join(dir, 'README.md'), 'not copied');
    const opened = await openFolder(dir);
    expect(opened.config).toEqual({ a: 1 });
    expect(opened.weights.map(({ tensors }) => tensors.map(({ name }) => name))).toEqual([['x']]);
    expect([...opened.sideFiles.keys()]).toEqual(['config.json', 'tokenizer.model']);
  });

  test('shards by their index', async () => {
    const opened = await openFolder(folder(shards, { metadata: { total_size: 1 }, weight_map: map }));
    expect(opened.weights.map(({ tensors }) => tensors.map(({ name }) => name))).toEqual([['x', 'y'], ['z']]);
  });

  test('files may be links, as in the cache of the Hugging Face hub', async () => {
    const dir = folder({});
    const blob = folder({ blob: [plan('x')] });
    symlinkSync(join(blob, 'blob'), join(dir, 'model.safetensors'));
    expect((await openFolder(dir)).weights[0]?.tensors).toHaveLength(1);
  });

  const outside = [
    '../model-1.safetensors',
    '/etc/passwd',
    'sub/model-1.safetensors',
    '..',
    'model-1.bin',
    'a\\b.safetensors',
    '',
  ];
  test.each(outside)('a shard named %j is not followed', async (name) => {
    await expect(openFolder(folder(shards, { weight_map: { ...map, x: name } }))).rejects.toThrow(
      'wanted a plain file name',
    );
  });

  test('the index and the shards must agree', async () => {
    await expect(openFolder(folder(shards, { weight_map: { ...map, w: 'model-2.safetensors' } }))).rejects.toThrow(
      '"w": missing',
    );
    const { y: _, ...rest } = map;
    await expect(openFolder(folder(shards, { weight_map: rest }))).rejects.toThrow('"y": found here');
    await expect(openFolder(folder(shards, { weight_map: { ...map, x: 'model-2.safetensors' } }))).rejects.toThrow(
      '"x": found here',
    );
    await expect(openFolder(folder(shards, { weight_map: { ...map, x: 'model-3.safetensors' } }))).rejects.toThrow(
      'no such file',
    );
    await expect(openFolder(folder(shards, { weight_map: [1] }))).rejects.toThrow('weight_map');
  });

  test('what is no model folder is refused in one line', async () => {
    await expect(openFolder('/nowhere')).rejects.toThrow(
      '/nowhere: folder: no such file or folder, wanted a model folder',
    );
    await expect(openFolder(temporary())).rejects.toThrow('config.json: missing');
    await expect(openFolder(folder({}))).rejects.toThrow('weights: none, wanted model.safetensors or');
    const list = folder({ 'model.safetensors': [] });
    writeFileSync(join(list, 'config.json'), '[]');
    await expect(openFolder(list)).rejects.toThrow('config.json: document: [], wanted a value of type');
    const odd = folder({ 'model.safetensors': [] });
    mkdirSync(join(odd, 'tokenizer.json'));
    await expect(openFolder(odd)).rejects.toThrow('tokenizer.json: file: not a regular file');
  });

  test('an adapter without its base, on another adapter or of a form that the engine lacks is named as such', async () => {
    const dir = temporary();
    const file = join(dir, 'adapter_config.json');
    const form = { peft_type: 'LORA', r: 2, lora_alpha: 4, base_model_name_or_path: 'org/base' as string | null };
    const writeConfig = (change: object) => writeFileSync(file, JSON.stringify({ ...form, ...change }));
    const weights = 'adapter_model.safetensors';
    writeWeights(dir, weights, [plan('base_model.model.x.lora_A.weight')]);
    writeConfig({});
    await expect(openFolder(dir)).rejects.toThrow(
      `${file}: base_model_name_or_path: "org/base" is no model folder here, wanted the folder of the base model`,
    );
    writeConfig({ base_model_name_or_path: null });
    await expect(openFolder(dir)).rejects.toThrow(`${file}: base_model_name_or_path: none, wanted the folder`);
    for (const [name, value] of Object.entries({
      use_dora: true,
      bias: 'all',
      peft_type: 'IA3',
      rank_pattern: { q: 8 },
    })) {
      writeConfig({ [name]: value });
      await expect(openFolder(dir)).rejects.toThrow(`${file}: ${name}`);
    }
    writeConfig({ base_model_name_or_path: dir });
    writeFileSync(join(dir, 'config.json'), '{}');
    await expect(openFolder(dir)).rejects.toThrow(`${dir} adapts a model itself, wanted a whole model: merge`);
    const base = folder({ 'model.safetensors': [plan('x')] });
    writeConfig({ base_model_name_or_path: base });
    const opened = await openFolder(dir);
    expect([opened.dir, opened.adapter?.scale, opened.adapter?.weights.tensors[0]?.name]).toEqual([
      base,
      2,
      'x.lora_A.weight',
    ]);
    writeWeights(dir, weights, [plan('x.lora_A.weight')]);
    await expect(openFolder(dir)).rejects.toThrow(`${weights}: "x.lora_A.weight": of no adapter, wanted names`);
  });

  test('the weights of an unmerged adapter are named as such, with what to do', async () => {
    const names = [
      'base_model.model.model.x.weight',
      'language_model.base_model.model.x',
      'q.base_layer.weight',
      'q.lora_B.default.weight',
    ];
    for (const name of names) {
      await expect(openFolder(folder({ 'model.safetensors': [plan('x'), plan(name)] }))).rejects.toThrow(
        `model.safetensors: "${name}": of an unmerged adapter (LoRA), wanted plain weights: merge the adapter`,
      );
    }
  });

  test('weights in other forms are named', async () => {
    for (const name of ['pytorch_model.bin', 'pytorch_model-00001-of-00002.bin', 'consolidated.00.pth', 'm.gguf']) {
      const dir = folder({});
      writeFileSync(join(dir, name), 'x');
      await expect(openFolder(dir)).rejects.toThrow(`weights: only "${name}", wanted model.safetensors or`);
    }
  });

  test('a file that Git LFS keeps elsewhere is named, whichever it is', async () => {
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4\n';
    for (const name of ['model.safetensors', 'config.json', 'tokenizer.model']) {
      const dir = folder({ 'model.safetensors': [plan('x')] });
      writeFileSync(join(dir, name), pointer);
      await expect(openFolder(dir)).rejects.toThrow(
        `${join(dir, name)}: file: a Git LFS pointer, wanted the file itself: run \`git lfs pull\``,
      );
    }
  });

  test('tensors that follow from the config are passed over, whatever their type', async () => {
    const buffers = {
      'v.embeddings.position_ids': ['I64', 8],
      'l.0.rotary_emb.inv_freq': ['F32', 4],
      inv_freq: ['F32', 4],
    };
    const { inv_freq: _, ...ignored } = buffers;
    const write = (dir: string, names: object) => {
      let at = 8;
      const header: Record<string, unknown> = { x: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } };
      for (const [name, [dtype, bytes]] of Object.entries(names) as [string, [string, number]][]) {
        header[name] = { dtype, shape: [1], data_offsets: [at, at + bytes] };
        at += bytes;
      }
      const text = Buffer.from(JSON.stringify(header));
      const size = Buffer.alloc(8);
      size.writeBigUInt64LE(BigInt(text.length));
      writeFileSync(join(dir, 'model.safetensors'), Buffer.concat([size, text, new Uint8Array(at)]));
      return openFolder(dir);
    };
    const names = async (given: object) => (await write(folder({}), given)).weights[0]?.tensors.map(({ name }) => name);
    expect(await names(ignored)).toEqual(['x']);
    expect(await names(buffers)).toEqual(['x', 'inv_freq']);
    await expect(names({ y: ['I64', 8] })).rejects.toThrow('"y": dtype "I64", wanted F32, F16 or BF16');
    const dir = folder(shards, { weight_map: { ...map, 'v.position_ids': 'model-1.safetensors' } });
    expect((await openFolder(dir)).weights).toHaveLength(2);
  });

  test('side files are parsed when they are asked for', async () => {
    const opened = await openFolder(folder({ 'model.safetensors': [] }));
    expect(parseSideFile(opened, 'config.json')).toEqual({ a: 1 });
    expect(parseSideFile(opened, 'none.json', true)).toBeUndefined();
    expect(() => parseSideFile(opened, 'none.json')).toThrow('none.json: missing');
  });
});

describe('names and shapes', () => {
  const wanted = [
    { name: 'x', shape: [2] },
    { name: 'y', shape: [1, 3] },
  ];
  const check = async (...plans: TensorPlan[]) => {
    const dir = folder({ 'model.safetensors': plans });
    checkParameters(dir, (await openFolder(dir)).weights, wanted);
  };

  test('equal sets pass in any order', async () => {
    await check(plan('y', [1, 3]), plan('x'));
  });

  test('a surplus, missing or misshaped tensor is named', async () => {
    await expect(check(plan('x'))).rejects.toThrow('"y": missing, wanted a tensor of shape [1,3]');
    await expect(check(plan('x'), plan('y', [1, 3]), plan('z'))).rejects.toThrow('"z": surplus');
    await expect(check(plan('x'), plan('y', [3, 1]))).rejects.toThrow('"y": shape [3,1], wanted [1,3]');
  });

  test('a name in two files is refused', async () => {
    const one = await openFolder(folder({ 'model.safetensors': [plan('x')] }));
    expect(() => checkParameters('d', [...one.weights, ...one.weights], [{ name: 'x', shape: [2] }])).toThrow(
      'found again',
    );
  });
});

describe('saving', () => {
  const zeros = (plans: readonly WeightPlan<StoredDtype>[], dir: string) => async () => {
    for (const { file, tensors } of plans) writeWeights(dir, file, tensors);
  };

  test('keeps names, shapes, dtypes and shards; a new head joins the last file as F32', async () => {
    const source = await openFolder(folder(shards, { weight_map: map }));
    const parameters = [
      { name: 'x', shape: [2] },
      { name: 'y', shape: [1] },
      { name: 'z', shape: [3] },
      ...rewardHeadShapes(4),
    ];
    const plans = planWeights(source, parameters);
    const dir = join(temporary(), 'deep', 'out');
    await writeFolder(dir, plans, [...source.sideFiles], zeros(plans, dir));
    const opened = await openFolder(dir);
    expect(opened.config).toEqual(source.config);
    expect(opened.weights.map(({ tensors }) => tensors.map(({ name, dtype }) => `${name} ${dtype}`))).toEqual([
      ['x F32', 'y BF16'],
      ['z F32', 'reward_head.weight F32', 'reward_head.bias F32'],
    ]);
    const index = JSON.parse(readFileSync(join(dir, 'model.safetensors.index.json'), 'utf8'));
    expect(index.metadata.total_size).toBe(8 + 2 + 12 + 16 + 4);
  });

  test('an existing folder is refused and left alone', async () => {
    const dir = folder({ 'model.safetensors': [plan('x')] });
    const before = readdirSync(dir);
    await expect(writeFolder(dir, [], [], async () => {})).rejects.toThrow('folder: exists, wanted a new folder');
    expect(readdirSync(dir)).toEqual(before);
  });

  test('a failure leaves no folder behind', async () => {
    const dir = join(temporary(), 'out');
    const fail = writeFolder(dir, [], [['config.json', '{}']], async () => {
      expect(existsSync(join(dir, 'config.json'))).toBe(true);
      throw new Error('disk full');
    });
    await expect(fail).rejects.toThrow('disk full');
    expect(existsSync(dir)).toBe(false);
  });

  test('trainer state holds moments of what learns and exact copies of what is rounded', async () => {
    const source = await openFolder(folder(shards, { weight_map: map }));
    const parameters = [
      { name: 'x', shape: [2] },
      { name: 'y', shape: [1] },
      { name: 'z', shape: [3] },
    ];
    const momentsOf = (name: string): TensorPlan[] =>
      ['exp_avg', 'exp_avg_sq'].map((kind) => plan(`${kind}.${name}`, [name === 'x' ? 2 : 1]));
    const moments = momentsOf('x');
    const plans = planWeights(source, parameters);
    const [state, ...others] = planTrainer(plans, moments) as [WeightPlan<StoredDtype>, ...unknown[]];
    expect(others).toEqual([]);
    expect(state.file).toBe('trainer.safetensors');
    expect(state.tensors.map(({ name }) => name)).toEqual(['exp_avg.x', 'exp_avg_sq.x', 'master.y']);
    expect(saveFile('d', state).tensors.map(({ name }) => name)).toEqual(['exp_avg.x', 'exp_avg_sq.x', 'y']);

    const dir = join(temporary(), 'out');
    const side = [...source.sideFiles, counterFile(7)];
    await writeFolder(dir, plans, side, zeros([...plans, state], dir));
    const { files, version } = await readTrainer(dir, parameters, moments);
    expect(version).toBe(7);
    expect(files.map(({ tensors }) => tensors.map(({ name }) => name))).toEqual([
      ['x'],
      ['z'],
      ['exp_avg.x', 'exp_avg_sq.x', 'y'],
    ]);
    const more = [...moments, ...momentsOf('y')];
    await expect(readTrainer(dir, parameters, more)).rejects.toThrow('"exp_avg.y": missing');
    const small = moments.map((moment) => ({ ...moment, dtype: 'U8' as const }));
    await expect(readTrainer(dir, parameters, small)).rejects.toThrow(
      `${dir}: moments: float32, wanted 8bit as the optimizer's setting moments says`,
    );
    // A checkpoint is a model folder as well, without its trainer state.
    expect([...(await openFolder(dir)).sideFiles.keys()]).toEqual(['config.json']);
  });

  test('large trainer state is in several files, which are read as one', async () => {
    const source = await openFolder(folder({ 'model.safetensors': [plan('x', [2]), plan('y', [1])] }));
    const parameters = [
      { name: 'x', shape: [2] },
      { name: 'y', shape: [1] },
    ];
    const moments = [
      plan('exp_avg.x', [2]),
      plan('exp_avg_sq.x', [2]),
      plan('exp_avg.y', [1]),
      plan('exp_avg_sq.y', [1]),
    ];
    const plans = planWeights(source, parameters);
    // No tensor is parted, even if it has more bytes than a file is to have.
    expect(planTrainer(plans, moments, 7).map(({ tensors }) => tensors.length)).toEqual([1, 1, 1, 1]);
    const states = planTrainer(plans, moments, 16);
    expect(states.map(({ file, tensors }) => [file, tensors.map(({ name }) => name)])).toEqual([
      ['trainer-00001-of-00002.safetensors', ['exp_avg.x', 'exp_avg_sq.x']],
      ['trainer-00002-of-00002.safetensors', ['exp_avg.y', 'exp_avg_sq.y']],
    ]);
    const dir = join(temporary(), 'out');
    await writeFolder(dir, plans, [...source.sideFiles, counterFile(3)], zeros([...plans, ...states], dir));
    const { files } = await readTrainer(dir, parameters, moments);
    expect(files.map(({ tensors }) => tensors.map(({ name }) => name))).toEqual([
      ['x', 'y'],
      ['exp_avg.x', 'exp_avg_sq.x'],
      ['exp_avg.y', 'exp_avg_sq.y'],
    ]);
    expect(readdirSync(dir).filter(isTrainerFile).sort()).toEqual([
      'trainer-00001-of-00002.safetensors',
      'trainer-00002-of-00002.safetensors',
      'trainer.json',
    ]);
    rmSync(join(dir, 'trainer-00002-of-00002.safetensors'));
    await expect(readTrainer(dir, parameters, moments)).rejects.toThrow(`${dir}: "exp_avg.y": missing`);
  });

  test('a folder without trainer state cannot be restored', async () => {
    await expect(readTrainer(folder({ 'model.safetensors': [] }), [], [])).rejects.toThrow(
      'trainer.json: file: no such file',
    );
  });
});
