// Whether a checkpoint and a data set can be used together, and what memory every phase will take: for programs and for
// `mstar check` and `mstar doctor`. Nothing is written.
import { GIVEN, loadConfig } from '../config/load.js';
import type { Config, OptimizerConfig } from '../config/schema.js';
import { Forms, openProblems, type ReadOptions } from '../data/problems.js';
import { checkModel, type ModelSummary } from '../engine/check.js';
import { type Diagnosis, diagnose } from '../engine/doctor.js';
import type { PictureLimits } from '../engine/open.js';
import { MOMENT_BYTES } from '../engine/plan.js';
import type { Renderer } from '../engine/renderer.js';
import { findData, findPlace } from '../hub/places.js';
import { type Display, silent } from '../run/terminal.js';
import { type DiskPlan, planDisk } from './disk.js';

/** A data set and how it is read. */
export interface DataToCheck extends Omit<ReadOptions, 'imageRoot' | 'onWarning' | 'onFormat'> {
  readonly file: string;
  /** The folder of the file when left out. */
  readonly imageRoot?: string;
}

/** Where the model is tried, and on which data. */
export interface CheckOptions extends PictureLimits {
  /** Every picture of it is decoded, every prompt measured. */
  readonly data?: DataToCheck;
  /** `cpu` when left out. */
  readonly device?: 'cpu' | 'cuda';
  /** Largest picture that is decoded, in pixels; 50 million when left out. */
  readonly maxImagePixels?: number;
  /** Told what is odd about the data. */
  readonly display?: Display;
}

/** What a run would find. */
export interface Checked {
  readonly model: ModelSummary;
  readonly data?: CheckedData;
}

/** What a run would read of a data set. */
export interface CheckedData {
  readonly format: string;
  readonly problems: number;
  readonly pictures: number;
  /** Lengths of the prompts, in tokens. */
  readonly promptTokens: { readonly least: number; readonly mean: number; readonly most: number };
  /** Questions that begin with a hint line. */
  readonly hinted: number;
  /** Problems whose prompt leaves no position for a response: a run passes over them. */
  readonly long: readonly string[];
  /** The same and what there is to say besides, a line each. */
  readonly lines: readonly string[];
}

/**
 * Loads a checkpoint, runs one tiny forward, and reads a data set with its pictures where one is given.
 * @throws UserError for the first thing that cannot be used, EngineError where the forward fails
 */
export async function check(dir: string, options: CheckOptions = {}): Promise<Checked> {
  const { data, device = 'cpu', maxImagePixels = 50_000_000, display = silent, minPixels, maxPixels } = options;
  const compute = { device, dtype: 'float32', threads: 0, maxImagePixels, minPixels, maxPixels } as const;
  let read: CheckedData | undefined;
  const model = await checkModel(await findPlace(dir, { display }), compute, async (prompts) => {
    if (data) read = await countData(data, prompts, display);
  });
  return { model, ...(read && { data: read }) };
}

async function countData(data: DataToCheck, prompts: Renderer, display: Display): Promise<CheckedData> {
  const { file: written, ...rest } = data;
  const { file, reading } = await findData(written, rest, { display });
  const forms = new Forms();
  const long: string[] = [];
  const onWarning = (warning: string): void => display.say(`warning: ${warning}`);
  let problems = 0;
  let pictures = 0;
  let [least, sum, most] = [Number.POSITIVE_INFINITY, 0, 0];
  for await (const problem of openProblems(file, { ...reading, onWarning, onFormat: forms.onFormat })) {
    forms.add(problem);
    const { tokens, images } = await prompts.anyPrompt(problem, 'solve');
    problems++;
    pictures += images.length;
    sum += tokens.length;
    [least, most] = [Math.min(least, tokens.length), Math.max(most, tokens.length)];
    if (tokens.length >= prompts.positions) long.push(`${problem.id}: ${tokens.length} tokens`);
  }
  const { format, hinted } = forms;
  const promptTokens = { least: problems > 0 ? least : 0, mean: Math.round(sum / Math.max(1, problems)), most };
  const lines = [
    `${format}: ${problems} problems, ${pictures} pictures, ${hinted} hint lines`,
    `prompts of ${promptTokens.least} to ${most} tokens, ${promptTokens.mean} in the mean`,
    ...forms.lines(),
  ];
  return { format, problems, pictures, promptTokens, hinted, long, lines };
}

/** What memory is planned for. */
export interface DoctorOptions extends PictureLimits {
  /** Recipe whose device, lengths and token budget are planned for; those of a GPU in bfloat16 when left out. */
  readonly config?: string;
  /** The same, a recipe that comes with mstar. */
  readonly preset?: string;
  /** Instead of the recipe's. */
  readonly device?: 'cpu' | 'cuda' | undefined;
  readonly dtype?: 'float32' | 'bfloat16' | undefined;
  /** Responses decoded together; 256 when left out. */
  readonly rows?: number;
  /** Length of a prompt, pictures included; 1024 when left out. */
  readonly promptTokens?: number;
  /** Numbers of GPUs over which the optimizer's state is spread, a plan each; `[1, 8]` when left out. */
  readonly gpus?: readonly number[];
  /** GiB of one GPU: whether each phase fits, for each number of GPUs; none when left out. */
  readonly memory?: readonly number[];
  /** Where a download is shown. */
  readonly display?: Display;
}

/** What memory is planned for, and the plans. */
export interface MemoryPlan extends Diagnosis {
  readonly device: 'cpu' | 'cuda';
  /** Of the run of a recipe; null where none is given. */
  readonly disk: DiskPlan | null;
}

const WITHOUT_DATA = ['data.generate=null', 'data.outOfDomain=null', `data.file=${GIVEN}`];

/** The recipe that is planned for, with these settings; undefined where none is given. */
async function recipeOf(
  { config: file, preset }: Pick<DoctorOptions, 'config' | 'preset'>,
  set: readonly string[],
): Promise<Config | undefined> {
  if (file === undefined && preset === undefined) return undefined;
  return loadConfig({ ...(file !== undefined && { file }), ...(preset !== undefined && { preset }), set });
}

/** Path of the model of a recipe; undefined where none is given. */
export async function modelOf(options: Pick<DoctorOptions, 'config' | 'preset'>): Promise<string | undefined> {
  return (await recipeOf(options, WITHOUT_DATA))?.model.path;
}

/**
 * Checks the headers of a checkpoint and plans the memory of every phase in bytes, without loading a weight.
 * @throws UserError naming the file and tensor that is missing, surplus or misshapen
 */
export async function doctor(dir: string, options: DoctorOptions = {}): Promise<MemoryPlan> {
  const { rows = 256, promptTokens = 1024, gpus = [1, 8], memory = [], display } = options;
  const path = `model.path=${dir}`;
  // Memory does not depend on the data, which a preset may leave open.
  const recipe = await recipeOf(options, [path, ...WITHOUT_DATA]);
  const device = options.device ?? recipe?.model.device ?? 'cuda';
  const offload = recipe?.model.offload ?? 'auto';
  const trainings = recipe ? trainingsOf(recipe) : [];
  const work = {
    device,
    dtype: options.dtype ?? recipe?.model.dtype ?? 'bfloat16',
    rows,
    samples: Math.min(16, rows),
    promptTokens,
    maxTokens: recipe?.sampling.maxTokens ?? 1024,
    tokenBudget: recipe?.model.tokenBudget ?? 16_384,
    ...(recipe && { momentBytes: Math.max(...trainings.map(({ moments }) => MOMENT_BYTES[moments])) }),
    ...(offload !== 'auto' && device === 'cuda' && { offload: offload === 'always' }),
  } as const;
  const place = await findPlace(dir, { display });
  const lora = recipe?.model.adapter && { ...recipe.model.adapter, seed: recipe.seed, base: place };
  const wanted = {
    gpus,
    memory: memory.map((gib) => gib * 2 ** 30),
    minPixels: options.minPixels ?? recipe?.model.minPixels,
    maxPixels: options.maxPixels ?? recipe?.model.maxPixels,
  };
  const scorer = recipe?.prm.enabled ? (recipe.prm.path ?? dir) : undefined;
  const prm = scorer === undefined ? undefined : await findPlace(scorer, { display });
  const diagnosis = await diagnose(place, work, frozenInAll(trainings), wanted, lora, prm);
  // With its own data where it has some: how much is sampled depends on it.
  const own = recipe && (await recipeOf(options, [path]).catch(() => recipe));
  return { ...diagnosis, device, disk: own ? await planDisk(own, diagnosis, { display }) : null };
}

function trainingsOf({ warmup, prm, evolve }: Config): OptimizerConfig[] {
  return [evolve, ...(warmup.enabled ? [warmup] : []), ...(prm.enabled && !prm.path ? [prm] : [])].map(
    ({ optimizer }) => optimizer,
  );
}

/** The plan holds for the training in which most learns. */
function frozenInAll(trainings: readonly OptimizerConfig[]): OptimizerConfig['freeze'] {
  const [first, ...others] = trainings;
  return first?.freeze.filter((part) => others.every(({ freeze }) => freeze.includes(part))) ?? [];
}
