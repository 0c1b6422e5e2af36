// The bridges of examples/trackers with the official clients, where a Python has them (MSTAR_TEST_PYTHON names one).
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const examples = fileURLToPath(new URL('../../examples/trackers', import.meta.url));
const python = process.env.MSTAR_TEST_PYTHON ?? 'python3';
const has = (name: string) => spawnSync(python, ['-c', `import ${name}`]).status === 0;
const root = mkdtempSync(join(tmpdir(), 'mstar-trackers-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = join(root, 'demo');
mkdirSync(run);
const metric = (tag: string, step: number, value: number) =>
  `${JSON.stringify({ step, tag, value, phase: 'iter-0001', wallSeconds: 1_790_000_000 + step })}\n`;
writeFileSync(
  join(run, 'metrics.jsonl'),
  `${metric('train/loss', 1, 0.5)}${metric('train/grad_norm', 1, 2)}${metric('train/loss', 2, 0.25)}${metric('test/accuracy', 1, 0.75)}{"step":3,"tag":"tr`,
);
writeFileSync(join(run, 'config.yaml'), 'seed: 7\nevolve:\n  n: 4\n');

/**
 * Prints the settings and the rows of the history that a file of an offline run holds: records of the client's own messages in
 * the frames of a LevelDB log (checksum, length, whether a record ends with it), seven bytes after the start of the file.
 */
const READ = `import json, struct, sys
from wandb.proto import wandb_internal_pb2 as pb
def records(data, at=7, block=32768):
    record = b""
    while at + 7 <= len(data):
        if block - at % block < 7:
            at += block - at % block
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        record += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):
            yield record
            record = b""
config, history = {}, []
for data in records(open(sys.argv[1], "rb").read()):
    record = pb.Record()
    record.ParseFromString(data)
    if record.HasField("history"):
        items = {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}
        history.append({key: value for key, value in items.items() if not key.startswith("_")})
    for update in [*record.run.config.update, *record.config.update]:
        config[update.key or ".".join(update.nested_key)] = json.loads(update.value_json)
print(json.dumps({"config": {key: config[key] for key in ("seed", "evolve")}, "history": history}))
`;

const wandb = has('wandb');
test.skipIf(!wandb)(
  `Weights & Biases gets curves by their own steps, and the settings${wandb ? '' : ' (no wandb in this Python)'}`,
  () => {
    const env = { ...process.env, WANDB_MODE: 'offline', WANDB_DIR: root, WANDB_SILENT: 'true', HOME: root };
    execFileSync(python, [join(examples, 'wandb_run.py'), run], { env, stdio: 'pipe' });
    const [folder] = readdirSync(join(root, 'wandb')).filter((name) => name.startsWith('offline-run-'));
    const [file] = readdirSync(join(root, 'wandb', folder!)).filter((name) => name.endsWith('.wandb'));
    const text = execFileSync(python, ['-c', READ, join(root, 'wandb', folder!, file!)], { encoding: 'utf8', env });
    expect(JSON.parse(text)).toEqual({
      config: { seed: 7, evolve: { n: 4 } },
      history: [
        { 'train/step': 1, 'train/loss': 0.5, 'train/grad_norm': 2 },
        { 'train/step': 2, 'train/loss': 0.25 },
        { 'test/step': 1, 'test/accuracy': 0.75 },
      ],
    });
  },
);

const mlflow = has('mlflow');
test.skipIf(!mlflow)(
  `MLflow gets curves with their steps and times, and the settings${mlflow ? '' : ' (no mlflow in this Python)'}`,
  () => {
    const env = { ...process.env, MLFLOW_TRACKING_URI: `sqlite:///${join(root, 'mlflow.db')}` };
    execFileSync(python, [join(examples, 'mlflow_run.py'), run], { env, stdio: 'pipe', cwd: root });
    const read = `import json, mlflow
client = mlflow.MlflowClient()
[run] = client.search_runs([client.get_experiment_by_name("mstar").experiment_id])
history = [[m.step, m.value, m.timestamp] for m in client.get_metric_history(run.info.run_id, "train/loss")]
print(json.dumps([run.info.run_name, run.data.params, history]))`;
    const text = execFileSync(python, ['-c', read], { encoding: 'utf8', env, cwd: root });
    expect(JSON.parse(text)).toEqual([
      'demo',
      { seed: '7', 'evolve.n': '4' },
      [
        [1, 0.5, 1_790_000_001_000],
        [2, 0.25, 1_790_000_002_000],
      ],
    ]);
  },
);
