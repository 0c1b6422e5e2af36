// One rank of a group that trains models as its job says, without anything of src: `node rank.mjs JOB RANK`. Rank 0 has
// the store's socket as descriptor 3. Leaves what it found in JOB.RANK.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { deserialize, serialize } from 'node:v8';

const [job, number] = process.argv.slice(2);
const addon = createRequire(import.meta.url)('../../.native/Release/mstar.node');
const { ranks, port, trainings } = deserialize(readFileSync(job));
const rank = Number(number);
const group = await addon.joinGroup({
  ...{ rank, size: ranks, host: '127.0.0.1', port, listenFd: rank === 0 ? 3 : -1 },
  ...{ storeIsElsewhere: false, job: 'test', proof: 'test', address: '127.0.0.1' },
});

const found = [];
for (const { spec, optimizer, sizes, restore, objective, batches, save, elsewhere } of trainings) {
  const model = await addon.loadModel(spec);
  const moments = sizes
    ? await addon.checks.setOptimizer(model, optimizer, group, sizes)
    : await model.setOptimizer(optimizer, group);
  const tensors = [...model.parameters().map((one) => ({ ...one, dtype: 'F32' })), ...moments];
  if (restore) await model.restore(restore.files, restore.version);
  const reports = [];
  let failure;
  const failed = ({ code, message }) => (failure = { code, message });
  for (const batch of batches)
    await model.trainStep(batch[rank] ?? batch[0], objective).then((report) => reports.push(report), failed);
  const each = Math.ceil(tensors.length / save.length);
  const files = save.map((file, i) => ({
    path: rank > 0 && elsewhere !== undefined ? path.join(elsewhere, path.basename(file)) : file,
    header: new Uint8Array(0),
    tensors: tensors.slice(i * each, (i + 1) * each),
  }));
  await model.save(files).catch(failed);
  const [batch] = batches;
  const every = batch[0].map(({ response }) => Uint32Array.from(response.keys()));
  const after = objective === 'step' ? await model.score(batch[0], every) : await model.logprobs(batch[0]);
  found.push({ reports, failure, after, version: model.version, tensors });
  await model.dispose();
}
await group.leave();
writeFileSync(`${job}.${rank}`, serialize(found));
