// `mstar init`: writes a first recipe for a data set and a model, with splits and sizes that fit them.
import { existsSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { draftRecipe, draftSplits } from '../config/draft.js';
import { readingSchema } from '../config/sample.js';
import { UserError } from '../core/errors.js';
import { Forms, openProblems } from '../data/problems.js';
import { contentKey } from '../data/splits.js';
import { diagnose } from '../engine/doctor.js';
import { findData, findPlace } from '../hub/places.js';
import { checkOutput, writeOutput } from '../run/output.js';
import type { Display } from '../run/terminal.js';
import { isStandardInput } from './input.js';
import { displayOf, printResult, verb } from './result.js';
import { dataFlags, readingOf, settingsOf } from './sample-flags.js';

export default verb({
  command: 'init',
  describe: 'write a first recipe for a data set and a model, with a line on every setting in it',
  builder: (yargs) =>
    dataFlags(yargs)
      .option('model', {
        type: 'string',
        demandOption: true,
        describe: 'model folder in Hugging Face form, or hf:ORG/NAME',
      })
      .option('data', { type: 'string', demandOption: true, describe: 'data set, in any form of docs/data.md' })
      .option('out', { type: 'string', default: 'recipe.yaml', describe: 'recipe to write; - for standard output' })
      .option('device', {
        choices: ['cpu', 'cuda'] as const,
        describe: 'where to compute; cuda where the system has an NVIDIA GPU, when left out',
      })
      .example('$0 init --model InternVL2-2B --data problems.json --image-root data_images', 'writes recipe.yaml')
      .example(
        '$0 init --model mstar:assets/tiny-internvl2 --data problems.csv --columns question=prompt,answer=label --out r.yaml',
        'a table on the embedded model',
      ),
  async handler({ model, data, out, device = gpu() ? 'cuda' : 'cpu', ...flags }) {
    if (existsSync(out) && statSync(out).isFile())
      throw new UserError(`--out: ${out}: there already, wanted a new name`);
    if (isStandardInput(data)) throw new UserError('--data: standard input, wanted a file that the recipe can name');
    const output = { flag: '--out', path: out, others: [data] };
    await checkOutput(output);
    const display = displayOf(flags);
    const described = await describe(model, device, display);
    const forms = new Forms();
    const seen = new Set<string>();
    let problems = 0;
    let warnings = 0;
    const { file, reading } = await findData(data, readingOf(flags), { display });
    const { onFormat } = forms;
    for await (const problem of openProblems(file, { ...reading, onFormat, onWarning: () => warnings++ })) {
      forms.add(problem);
      seen.add(contentKey(problem));
      problems++;
    }
    if (warnings > 0) display.say(`warning: ${warnings} odd records, which mstar data ${data} names`);
    for (const line of forms.lines()) display.say(`data: ${line}`);
    const given = settingsOf<Record<string, unknown>>(flags as Record<string, unknown>, readingSchema);
    const facts = { file: data, reading: given, format: forms.format, problems, different: seen.size };
    const dir = join('runs', basename(data, extname(data)));
    const recipe = await draftRecipe({ data: facts, model: described, dir, out });
    await writeOutput(output, (sink) => sink(recipe));
    const splits = draftSplits(data, seen.size);
    const sizes = `${splits.test} to test, ${splits.validation} to validate, ${splits.training} to train on`;
    const result = { recipe: out, format: forms.format, problems, splits, device };
    printResult(flags, result, [`recipe: ${out}, ${sizes}`, `run it: mstar evolve --config ${out}`], out);
  },
});

/** From the headers of its files; no weight is read. */
async function describe(path: string, device: 'cpu' | 'cuda', display: Display) {
  const work = {
    device,
    dtype: 'float32',
    rows: 1,
    samples: 1,
    promptTokens: 1,
    maxTokens: 1,
    tokenBudget: 1,
  } as const;
  const { backbone, parameters, positions } = await diagnose(await findPlace(path, { display }), work, [], {
    gpus: [1],
    memory: [],
  });
  return { path, backbone, parameters, positions, device };
}

function gpu(): boolean {
  return existsSync('/dev/nvidiactl');
}
