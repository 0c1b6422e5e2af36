import { spawn } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Stopped } from '../../../src/core/errors.js';
import { adopt } from '../../../src/run/adopt.js';
import { Run, type RunOptions } from '../../../src/run/folder.js';
import { requireOutputs } from '../../../src/run/outputs.js';
import type { Phase } from '../../../src/run/phase.js';

let dir: string;
let said: string[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mstar-run-'));
  said = [];
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function open(options: Partial<RunOptions> = {}): Promise<Run> {
  const display = { show() {}, say: (text: string) => said.push(text), close() {} };
  return Run.open({ dir, settings: { seed: 1, evolve: { n: 4 } }, display, ...options });
}

/** Opens, works, closes. */
async function using<T>(work: (run: Run) => Promise<T>, options: Partial<RunOptions> = {}): Promise<T> {
  const run = await open(options);
  try {
    return await work(run);
  } finally {
    await run.close();
  }
}

const journal = (): string => readFileSync(join(dir, 'journal.jsonl'), 'utf8');

function checkpoint(name: string, text: string): (phase: Phase) => Promise<string> {
  return async (phase) => {
    const save = async (folder: string): Promise<void> => {
      await mkdir(folder);
      await writeFile(join(folder, 'weights'), text);
    };
    await phase.save(name, name === 'prm' ? 'prm' : 'policy', save);
    return text;
  };
}

describe('a phase', () => {
  test('draws by its name, or by the one that it is given for that', async () => {
    await using(async (run) => {
      expect(await run.phase('one', async ({ draws }) => draws)).toBe('one');
      expect(await run.phase('two', async ({ name, draws }) => [name, draws], 'former')).toEqual(['two', 'former']);
    });
  });

  test('is done once; later runs get its result as JSON holds it', async () => {
    const result = await using((run) => run.phase('one', async () => ({ a: 1, b: undefined, c: Number.NaN })));
    expect(result).toEqual({ a: 1, c: null });
    const again = await using((run) => run.phase('one', () => Promise.reject(new Error('done again'))));
    expect(again).toEqual({ a: 1, c: null });
  });

  test('that fails leaves no commit, and its units are found by the next try', async () => {
    let made = 0;
    const work = (fail: boolean) => async (phase: Phase) => {
      const { value, found } = await phase.unit('piece', async () => ({ numbers: Float32Array.of(0.1, ++made) }));
      phase.record('seen', { sum: value.numbers[1] });
      if (fail) throw new Error('broken');
      return found;
    };
    await expect(using((run) => run.phase('one', work(true)))).rejects.toThrow('broken');
    expect(journal()).toContain('"seen"');
    expect(await using((run) => run.phase('one', work(false)))).toBe(true);
    expect(made).toBe(1);
    expect(journal().match(/"seen"/g)).toHaveLength(1);
    expect(readdirSync(join(dir, 'work'))).toEqual([]);
  });

  test('makes a unit anew where its file is damaged', async () => {
    let made = 0;
    const work = async (phase: Phase) => {
      await phase.unit('piece', async () => ++made);
      throw new Error('broken');
    };
    await expect(using((run) => run.phase('one', work))).rejects.toThrow('broken');
    const file = join(dir, 'work/one/piece.unit');
    writeFileSync(file, readFileSync(file).fill(0, 33));
    await expect(using((run) => run.phase('one', work))).rejects.toThrow('broken');
    expect(made).toBe(2);
  });

  test('ends with Stopped once the signal is aborted, whatever error that causes', async () => {
    const controller = new AbortController();
    const work = async () => {
      controller.abort();
      throw new Error('ERR_CANCELLED');
    };
    await expect(using((run) => run.phase('one', work), { signal: controller.signal })).rejects.toThrow(Stopped);
  });

  test('writes files whole and names them in its commit', async () => {
    await using((run) =>
      run.phase('one', (phase) => phase.output('rollouts/a.txt', (aside) => writeFile(aside, 'abc'))),
    );
    expect(readFileSync(join(dir, 'rollouts/a.txt'), 'utf8')).toBe('abc');
    expect(journal()).toContain(
      '"outputs":{"rollouts/a.txt":{"bytes":3,"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}}',
    );
  });
});

describe('opening a folder again', () => {
  test('goes back before the commit whose checkpoint is damaged, and says so', async () => {
    await using(async (run) => {
      await run.phase('warmup', checkpoint('warmup', 'first'));
      await run.phase('train-prm', checkpoint('prm', 'scores'));
      await run.phase('iter-0001', checkpoint('iter-0001', 'second'));
      await run.phase('test', async () => 5);
    });
    writeFileSync(join(dir, 'checkpoints/iter-0001/weights'), 'Second');
    await using(async (run) => expect(run.journal.commits.map(({ phase }) => phase)).toEqual(['warmup', 'train-prm']));
    expect(said).toEqual([
      'passed over checkpoints/iter-0001: weights: differs from its SHA-256',
      'going back to train-prm',
    ]);
    expect(readdirSync(join(dir, 'checkpoints'))).toEqual(['prm', 'warmup']);
  });

  test('needs the PRM as well as the policy', async () => {
    await using(async (run) => {
      await run.phase('warmup', checkpoint('warmup', 'first'));
      await run.phase('train-prm', checkpoint('prm', 'scores'));
      await run.phase('iter-0001', checkpoint('iter-0001', 'second'));
    });
    rmSync(join(dir, 'checkpoints/prm/weights'));
    await using(async (run) => expect(run.journal.commits.map(({ phase }) => phase)).toEqual(['warmup']));
    expect(said[0]).toBe('passed over checkpoints/prm: weights: missing');
  });

  test('does not look at a checkpoint that a newer one replaces', async () => {
    await using(async (run) => {
      await run.phase('iter-0001', checkpoint('iter-0001', 'first'));
      await run.phase('iter-0002', checkpoint('iter-0002', 'second'));
    });
    rmSync(join(dir, 'checkpoints/iter-0001'), { recursive: true });
    await using(async (run) => expect(run.journal.commits).toHaveLength(2));
    expect(said).toEqual([]);
  });

  test('goes back before a commit whose file is cut short', async () => {
    await using((run) => run.phase('one', (phase) => phase.output('labels.jsonl', (aside) => writeFile(aside, 'abc'))));
    writeFileSync(join(dir, 'labels.jsonl'), 'ab');
    await using(async (run) => expect(run.journal.commits).toHaveLength(0));
    expect(said[0]).toBe('passed over labels.jsonl: 2 bytes, wanted 3');
  });

  test('goes back before a commit whose file holds other bytes of the same number', async () => {
    await using((run) => run.phase('one', (phase) => phase.output('labels.jsonl', (aside) => writeFile(aside, 'abc'))));
    writeFileSync(join(dir, 'labels.jsonl'), 'abd');
    await expect(requireOutputs(dir, ['other', 'labels.jsonl'])).rejects.toThrow(
      `${dir}/labels.jsonl: file: differs from its SHA-256, wanted it as the run wrote it`,
    );
    await using(async (run) => expect(run.journal.commits).toHaveLength(0));
    expect(said[0]).toBe('passed over labels.jsonl: differs from its SHA-256');
  });

  test('deletes nothing outside the folder, whatever its journal or a link says', async () => {
    await using((run) => run.phase('iter-0001', checkpoint('iter-0001', 'first')));
    const precious = mkdtempSync(join(tmpdir(), 'mstar-precious-'));
    const text = journal();
    try {
      writeFileSync(join(precious, 'file'), '');
      writeFileSync(
        join(dir, 'journal.jsonl'),
        text.replace('"name":"iter-0001"', `"name":"iter-/../../../${basename(precious)}"`) + text,
      );
      await expect(open({ keepCheckpoints: 1 })).rejects.toThrow('journal.jsonl:1: checkpoint.name: "iter-/..');
      writeFileSync(join(dir, 'journal.jsonl'), text);
      rmSync(join(dir, 'checkpoints'), { recursive: true });
      symlinkSync(precious, join(dir, 'checkpoints'));
      await expect(open()).rejects.toThrow(`${dir}/checkpoints: run folder: a link, wanted a folder`);
      expect(readdirSync(precious)).toEqual(['file']);
      expect(readdirSync(dir).filter((name) => name.startsWith('lock-'))).toEqual([]);
    } finally {
      rmSync(precious, { recursive: true });
    }
  });

  test.each([
    ['that hold themselves', 'a: &a { b: *a }', 'settings: a value that holds itself, wanted plain values'],
    ['that are no YAML', 'a: [', 'settings: Flow sequence in block collection'],
    ['of many levels', `${'['.repeat(50_000)}`, 'settings: more than 100 levels, wanted plain values'],
  ])('refuses settings %s with the name of the file', async (_, text, message) => {
    await using((run) => run.phase('one', async () => 1));
    writeFileSync(join(dir, 'config.yaml'), text);
    await expect(open()).rejects.toThrow(`${dir}/config.yaml: ${message}`);
    const other = adopt(`${dir}-new`, { from: dir, settings: {}, takes: () => true });
    await expect(other).rejects.toThrow(`${dir}/config.yaml: ${message}`);
  });

  test('cuts the journal after the last commit', async () => {
    await using((run) => run.phase('one', async () => 1));
    const whole = journal();
    appendFileSync(join(dir, 'journal.jsonl'), '{"event":"step"}\n{"event":"com');
    await using(async () => {});
    expect(journal()).toBe(whole);
  });

  test('keeps only as many iteration checkpoints as wanted', async () => {
    const keep = { keepCheckpoints: 2 };
    await using(async (run) => {
      await run.phase('warmup', checkpoint('warmup', 'w'));
      for (const i of [1, 2, 3, 4]) await run.phase(`iter-000${i}`, checkpoint(`iter-000${i}`, String(i)));
    }, keep);
    expect(readdirSync(join(dir, 'checkpoints'))).toEqual(['iter-0003', 'iter-0004', 'warmup']);
    await using(async (run) => expect(run.journal.commits).toHaveLength(5), keep);
  });

  test('refuses settings that are none by their file', async () => {
    await using((run) => run.phase('one', async () => 1));
    const file = join(dir, 'config.yaml');
    for (const text of ['', '- a list\n']) {
      writeFileSync(file, text);
      await expect(open()).rejects.toThrow(`${file}: settings: not a mapping, wanted settings by group`);
    }
    rmSync(file);
    mkdirSync(file);
    await expect(open()).rejects.toThrow(`${file}: file: is a folder, wanted a readable file`);
  });

  test('refuses a changed setting by its key once a phase is committed, and takes it before', async () => {
    await using(async () => {});
    const changed = { settings: { seed: 1, evolve: { n: 8 } } };
    await using((run) => run.phase('one', async () => 1), changed);
    await expect(open()).rejects.toThrow(`${dir}/config.yaml: evolve.n: 4 now, wanted 8 as in the run it holds`);
    await expect(open({ settings: { seed: 1, evolve: {} } })).rejects.toThrow('evolve.n: not set now, wanted 8');
    const message = `${dir}: run folder: made by mstar evolve, wanted one of mstar evaluate, or a new name`;
    await expect(open({ settings: { verb: 'evaluate', n: 1 } })).rejects.toThrow(message);
  });

  test('refuses a run of an earlier version, which called a setting otherwise', async () => {
    await using((run) => run.phase('one', async () => 1), { settings: { prm: { convergeEpochs: 4 } } });
    await expect(open({ settings: { prm: { completerEpochs: 4 } } })).rejects.toThrow(
      `${dir}: run: made by an earlier version of mstar, where prm.completerEpochs was prm.convergeEpochs, wanted one of this version (choose another folder, or go on with the version that made it)`,
    );
  });

  test('refuses other problems than it began with', async () => {
    await using(async (run) => {
      await run.start({ event: 'start', problems: 'abc' });
      await run.phase('one', async () => 1);
    });
    await using(async (run) => {
      await run.start({ event: 'start', problems: 'abc' });
      await expect(run.start({ event: 'start', problems: 'abd' })).rejects.toThrow('problems: "abd" now, wanted "abc"');
    });
  });

  test('refuses a file, and a folder among those of another run', async () => {
    await using((run) => run.phase('one', async () => 1));
    const inside = join(dir, 'checkpoints/mine');
    await expect(open({ dir: inside })).rejects.toThrow(`run folder: ${inside}: checkpoints belongs to the run ${dir}`);
    const file = join(dir, 'file');
    writeFileSync(file, '');
    await expect(open({ dir: file })).rejects.toThrow(`run folder: ${file}: not a folder, wanted one, or a new name`);
  });

  test('refuses a folder that holds something else', async () => {
    writeFileSync(join(dir, 'thesis.txt'), 'do not touch');
    await expect(open()).rejects.toThrow(`${dir}: run folder: holds thesis.txt but no config.yaml`);
    expect(readdirSync(dir)).toEqual(['thesis.txt']);
  });
});

describe('the lock', () => {
  test('keeps a second owner out, in this process and in others', async () => {
    await using(async () => {
      await expect(open()).rejects.toThrow(`${dir}: run folder: in use by this process already`);
    });
    const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'ignore' });
    const start = readFileSync(`/proc/${other.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19];
    writeFileSync(join(dir, `lock-${hostname().replace(/[^\w.]/g, '_')}-${other.pid}-${start}`), '');
    await expect(open()).rejects.toThrow(`in use by process ${other.pid}, wanted a free folder`);
    const gone = new Promise((resolve) => other.on('exit', resolve));
    other.kill('SIGKILL');
    await gone;
    await using(async () => {});
    expect(readdirSync(dir).filter((name) => name.startsWith('lock-'))).toEqual([]);
  });

  test('of a process whose id was reused counts for nothing', async () => {
    writeFileSync(join(dir, `lock-${hostname().replace(/[^\w.]/g, '_')}-${process.ppid}-1`), '');
    await using(async () => {});
  });

  test('of another machine is respected, with the file to delete named', async () => {
    writeFileSync(join(dir, 'lock-elsewhere-12-34'), '');
    await expect(open()).rejects.toThrow(`if it is gone, delete ${join(dir, 'lock-elsewhere-12-34')}`);
  });
});
