// Checks a model folder header by header and plans its memory, without reading a weight.
import { hasRewardHead, type ModelFolder, openFolder } from '../checkpoint/folder.js';
import { checkParameters, engineWeights, type ParameterShape, rewardHeadShapes } from '../checkpoint/parameters.js';
import { UserError } from '../core/errors.js';
import { type AdapterSettings, openAdapter } from './adapter.js';
import { addon } from './binding.js';
import { guardedNow } from './native.js';
import { aliasOf, describeModel, type PictureLimits } from './open.js';
import { type Fit, fitMemory, type ModelSizes, type PhasePlan, planMemory, type Workload } from './plan.js';

/** What the headers of a model folder say, and the memory that each phase takes. */
export interface Diagnosis {
  readonly backbone: string;
  readonly kind: 'policy' | 'process reward model';
  readonly parameters: number;
  /** Numbers that learn. */
  readonly trained: number;
  /** Decoder layers. */
  readonly layers: number;
  /** Most tokens of a prompt and its response. */
  readonly positions: number;
  readonly tensors: number;
  readonly files: number;
  readonly dtypes: readonly string[];
  /** Bytes of the weights on disk. */
  readonly diskBytes: number;
  /** What a picture of 1024 x 768 is cut into. */
  readonly patches: number;
  /** The instruction set of the kernels that this machine would compute with on the CPU. */
  readonly simd: string;
  /** One list of phases for each number of GPUs asked for. */
  readonly plans: readonly { readonly gpus: number; readonly phases: readonly PhasePlan[] }[];
  /** What fits, for each number of GPUs and each memory asked for, in bytes. */
  readonly fits: readonly { readonly gpus: number; readonly memory: number; readonly phases: readonly Fit[] }[];
}

/** A picture of usual size, by which the plans count. */
const PICTURE = [1024, 768] as const;

export type Part = 'vision' | 'projector' | 'language';

/**
 * @param prm folder of the process reward model that scores what this one samples; `dir` where it is made from it
 * @throws UserError naming the file and tensor that is missing, surplus, misshaped or of an integer type
 */
export async function diagnose(
  dir: string,
  given: Omit<Workload, 'gpus' | 'patches'>,
  freeze: readonly Part[],
  { gpus, memory, ...limits }: PictureLimits & { readonly gpus: readonly number[]; readonly memory: readonly number[] },
  settings?: AdapterSettings,
  prm?: string,
): Promise<Diagnosis> {
  const { folder, backbone, numbers, weights, scores, own, heads, adapter } = await inspect(dir, settings, limits);
  const tensors = weights.flatMap((file) => file.tensors);
  const wanted = [...own, ...heads];
  const frozen = freeze.flatMap((part) => backbone.prefixes[part]);
  const learns = [...(adapter ? adapter.shapes : own), ...heads].filter(({ name }) => !starts(name, frozen));
  const values = guardedNow(() => addon().picturePatches(backbone.name, numbers, ...PICTURE));
  const work = { ...given, patches: values / (numbers.frames ?? 1) };
  const parameters = count(wanted) + count(adapter?.shapes ?? []);
  const decoder = guardedNow(() => addon().decoderShape(backbone.name, numbers));
  const sizes: ModelSizes = {
    parameters,
    language: count(wanted.filter(({ name }) => starts(name, backbone.prefixes.language))),
    trained: count(learns),
    largest: Math.max(0, ...learns.map((one) => count([one]))),
    adapters: adapter !== undefined,
    decoder,
    prm: prm === dir ? { parameters, decoder } : prm === undefined ? undefined : await prmSizes(prm),
    tower: {
      layers: numbers.v_layers ?? 0,
      hidden: numbers.v_hidden ?? 0,
      intermediate: numbers.v_intermediate ?? 0,
      frozen: adapter !== undefined || frozen.some((prefix) => backbone.prefixes.vision.includes(prefix)),
    },
  };
  return {
    backbone: backbone.name,
    kind: scores ? 'process reward model' : 'policy',
    parameters: sizes.parameters,
    trained: sizes.trained,
    layers: sizes.decoder.layers,
    positions: numbers.max_positions,
    tensors: tensors.length,
    files: folder.weights.length,
    dtypes: [...new Set(tensors.map(({ dtype }) => dtype))].sort(),
    diskBytes: bytesOf(folder),
    patches: work.patches,
    simd: addon().info().simd,
    plans: gpus.map((number) => ({ gpus: number, phases: planMemory(sizes, { ...work, gpus: number }) })),
    fits: gpus.flatMap((number) =>
      memory.map((bytes) => ({
        gpus: number,
        memory: bytes,
        phases: fitMemory(sizes, { ...work, gpus: number }, bytes),
      })),
    ),
  };
}

/** A folder whose headers fit the network. Throws UserError. */
async function inspect(dir: string, settings?: AdapterSettings, limits: PictureLimits = {}) {
  const described = await describeModel(await openFolder(dir), limits);
  const { folder, backbone, numbers } = described;
  const weights = await engineWeights(folder.weights, aliasOf(described));
  const scores = hasRewardHead(folder);
  const own = guardedNow(() => addon().parameterShapes(backbone.name, numbers));
  const adapter = await openAdapter(folder, backbone, own, settings);
  const heads = scores ? rewardHeadShapes(numbers.l_hidden) : [];
  checkParameters(folder.dir, weights, folder.adapter ? own : [...own, ...heads]);
  if (folder.adapter && adapter) checkParameters(dir, [folder.adapter.weights], [...adapter.shapes, ...heads]);
  return { folder, backbone, numbers, weights, scores, own, heads, adapter };
}

async function prmSizes(dir: string): Promise<ModelSizes['prm']> {
  const { backbone, numbers, scores, own, heads, adapter } = await inspect(dir);
  if (!scores) throw new UserError(`${dir}: reward_head.weight: missing, wanted a process reward model`);
  const parameters = count([...own, ...heads, ...(adapter?.shapes ?? [])]);
  return { parameters, decoder: guardedNow(() => addon().decoderShape(backbone.name, numbers)) };
}

function starts(name: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => name.startsWith(prefix));
}

function count(shapes: readonly ParameterShape[]): number {
  return shapes.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
}

function bytesOf({ weights }: ModelFolder): number {
  return weights.reduce((sum, file) => sum + file.tensors.reduce((part, { begin, end }) => part + end - begin, 0), 0);
}
