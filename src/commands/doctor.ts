// `mstar doctor [DIR]`: checks a model folder header by header and prints the memory of every phase; loads nothing.
import { freemem, totalmem } from 'node:os';
import { UserError } from '../core/errors.js';
import type { Diagnosis } from '../engine/doctor.js';
import type { Fit } from '../engine/plan.js';
import { doctor, modelOf } from '../jobs/check.js';
import type { DiskPlan } from '../jobs/disk.js';
import { withInput } from './input.js';
import { displayOf, printResult, verb } from './result.js';
import { limitsOf, pictureFlags } from './sample-flags.js';

export default verb({
  command: 'doctor [model]',
  describe: 'check the headers of a checkpoint and plan the memory of every phase, without loading it',
  builder: (yargs) =>
    pictureFlags(yargs)
      .positional('model', {
        type: 'string',
        describe: 'model folder in Hugging Face form, or hf:ORG/NAME; that of the recipe when left out',
      })
      .option('config', {
        type: 'string',
        describe: 'recipe whose device, lengths and token budget are planned for; - for standard input',
      })
      .option('preset', { type: 'string', describe: 'the same, a recipe that comes with mstar' })
      .option('device', { choices: ['cpu', 'cuda'] as const, describe: 'instead of the recipe’s' })
      .option('dtype', { choices: ['float32', 'bfloat16'] as const, describe: 'instead of the recipe’s' })
      .option('rows', { type: 'number', default: 256, describe: 'responses decoded together' })
      .option('prompt-tokens', { type: 'number', default: 1024, describe: 'length of a prompt, pictures included' })
      .option('gpus', {
        type: 'string',
        default: '1,8',
        describe: 'numbers of GPUs over which the optimizer’s state is spread in the plan',
      })
      .option('memory', {
        type: 'string',
        describe: 'GiB that a GPU has, like 24,80,141: which phases fit, and what training does to fit',
      })
      .example('$0 doctor --model InternVL2-2B --dtype bfloat16', 'the plan with the defaults of a recipe')
      .example('$0 doctor --config recipe.yaml --gpus 1,8', 'the plan of a recipe, for its model'),
  async handler(args) {
    const gpus = args.gpus.split(',').map(Number);
    if (gpus.some((number) => !Number.isInteger(number) || number < 1 || number > 4096))
      throw new UserError(`--gpus: ${args.gpus}, wanted whole numbers from 1 like 1,8`);
    for (const [name, value] of [
      ['rows', args.rows],
      ['prompt-tokens', args.promptTokens],
    ] as const)
      if (!Number.isInteger(value) || value < 1)
        throw new UserError(`--${name}: ${value}, wanted a whole number from 1`);
    const memory = args.memory?.split(',').map(Number) ?? [];
    if (memory.some((gib) => !(gib > 0 && gib <= 65536)))
      throw new UserError(`--memory: ${args.memory}, wanted GiB of one GPU like 24,80,141`);
    const { device: given, dtype, rows, promptTokens, preset } = args;
    const options = {
      ...(preset !== undefined && { preset }),
      device: given,
      dtype,
      rows,
      promptTokens,
      gpus,
      memory,
      ...limitsOf(args),
      display: displayOf(args),
    };
    const plan = async (config?: string): Promise<Awaited<ReturnType<typeof doctor>>> => {
      const recipe = { ...options, config };
      const model = args.model ?? (await modelOf(recipe));
      if (model === undefined)
        throw new UserError('model: missing, wanted mstar doctor MODEL, or a recipe as --config or --preset');
      return doctor(model, recipe);
    };
    const { device, disk, ...diagnosis } = await (args.config === undefined ? plan() : withInput(args.config, plan));
    printResult(args, { ...diagnosis, disk }, [text(diagnosis, device), ...(disk ? ['', diskLine(disk)] : [])]);
  },
});

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

function verdict(fit: Fit, layers: number): string {
  const { phase, bytes, fits, keptLayers, offloaded, moments, gpus, tokenBudget } = fit;
  if (phase !== 'training') return fits ? 'fits' : 'does not fit; fewer rows or tokens take less';
  const again = layers - Number(keptLayers);
  const run = again === 0 ? 'nothing is run again' : `${again} of ${layers} layers and the vision tower run again`;
  const place = offloaded === undefined ? '' : `, ${gib(offloaded)} of the optimizer’s state in the machine’s memory`;
  if (fits) return `fits, ${run}${place}${moments ? '; on the GPU with moments: 8bit' : ''}`;
  const others = [
    ...(moments ? ['moments: 8bit'] : []),
    ...(tokenBudget === undefined ? [] : [`a tokenBudget of ${tokenBudget}`]),
    ...(gpus === undefined ? [] : [`${gpus} GPUs of this memory`]),
    `one of ${Math.ceil(bytes / 2 ** 30)} GiB`,
  ];
  return `does not fit with every layer run again${place}; would: ${others.join(', or ')}`;
}

/** For example `disk: 61.20 GiB for the run (...), 100.00 GiB free at runs/a: fits`. */
function diskLine({ items, total, free, dir, uncounted }: DiskPlan): string {
  const parts = items.map(({ what, bytes }) => `${what} ${gib(bytes)}`).join(', ');
  const tables = uncounted === null ? '' : `; tables are not counted, as the data cannot be read: ${uncounted}`;
  const fits = total <= free ? 'fits' : 'DOES NOT FIT: lower run.keepCheckpoints, or choose another run.dir';
  return `disk        up to ${gib(total)} for the run (${parts}${tables}), ${gib(free)} free at ${dir}: ${fits}`;
}

function text(found: Diagnosis, device: 'cpu' | 'cuda'): string {
  const lines = [
    `model       ${found.backbone}, ${found.kind}`,
    `weights     ${found.parameters.toLocaleString('en-US')} numbers in ${found.tensors} tensors and ${found.files} ${found.files === 1 ? 'file' : 'files'}, ${found.dtypes.join(' and ')}, ${gib(found.diskBytes)} on disk; every name, shape and type is right`,
    `picture     1024 x 768 is cut into ${found.patches.toLocaleString('en-US')} patches`,
  ];
  for (const { gpus, memory, phases } of found.fits) {
    lines.push('', `${gpus} x ${memory / 2 ** 30} GiB`);
    for (const fit of phases)
      lines.push(`  ${fit.phase.padEnd(10)} ${gib(fit.bytes).padStart(11)}  ${verdict(fit, found.layers)}`);
  }
  for (const { gpus, phases } of found.fits.length > 0 ? [] : found.plans) {
    const [one, several] = device === 'cuda' ? ['GPU', 'GPUs'] : ['process', 'processes'];
    lines.push('', gpus === 1 ? `1 ${one}` : `${gpus} ${several}, each`);
    for (const { phase, items, total } of phases) {
      lines.push(`  ${phase.padEnd(10)} ${gib(total).padStart(11)}`);
      for (const { what, bytes } of items) lines.push(`  ${''.padEnd(10)} ${gib(bytes).padStart(11)}  ${what}`);
    }
  }
  if (found.plans.some(({ gpus }) => gpus > 1))
    lines.push('', 'Over several GPUs, a process for each, the optimizer’s state is spread: mstar evolve --gpus N.');
  if (device === 'cpu')
    lines.push('', `this machine  ${gib(freemem())} free of ${gib(totalmem())}, kernels for ${found.simd}`);
  return lines.join('\n');
}
