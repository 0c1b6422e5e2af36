// What can be known before a run: node examples/check.mjs. Nothing is trained, and no run is made.
import { check, doctor } from 'mstar';
import { describeData, writeProblems } from 'mstar/data';

const { file, imageRoot } = await writeProblems('runs/example-problems', { count: 20, seed: 1 });
const { problems, pictures, notes } = await describeData(file, { imageRoot });
console.log(problems, 'problems', pictures.distinct, 'pictures', notes);

const { model, data } = await check('mstar:tiny', { data: { file, imageRoot } });
console.log(model.backbone, model.positions, 'positions;', data.long.length, 'prompts too long');

const { plans } = await doctor('mstar:tiny', { device: 'cpu', dtype: 'float32', gpus: [1] });
for (const { phase, total } of plans[0].phases) console.log(phase, (total / 2 ** 20).toFixed(1), 'MiB');
