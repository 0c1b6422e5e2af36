// Checks a model folder header by header and plans its memory, without reading a weight.
import { hasRewardHead, type ModelFolder, openFolder } from '../checkpoint/folder.js';
import { checkParameters, engineWeights, type ParameterShape, rewardHeadShapes } from '../checkpoint/parameters.js';
import { type AdapterSettings, openAdapter } from './adapter.js';
import { addon } from './binding.js';
import { guardedNow } from './native.js';
import { describeModel } from './open.js';
import { type ModelSizes, type PhasePlan, planMemory, type Workload } from './plan.js';

export interface Diagnosis {
  readonly backbone: string;
  readonly kind: 'policy' | 'process reward model';
  readonly parameters: number;
  /** Most tokens of a prompt and its response. */
  readonly positions: number;
  readonly tensors: number;
  readonly files: number;
  readonly dtypes: readonly string[];
  /** Bytes of the weights on disk. */
  readonly diskBytes: number;
  /** The instruction set of the kernels that this machine would compute with on the CPU. */
  readonly simd: string;
  /** One list of phases for each number of GPUs asked for. */
  readonly plans: readonly { readonly gpus: number; readonly phases: readonly PhasePlan[] }[];
}

export type Part = 'vision' | 'projector' | 'language';

/** Throws UserError naming the file and tensor that is missing, surplus, misshaped or of an integer type. */
export async function diagnose(
  dir: string,
  work: Omit<Workload, 'gpus'>,
  freeze: readonly Part[],
  gpus: readonly number[],
  settings?: AdapterSettings,
): Promise<Diagnosis> {
  const folder = await openFolder(dir);
  const { backbone, numbers } = await describeModel(folder);
  const weights = await engineWeights(folder.weights, backbone.aliases);
  const tensors = weights.flatMap((file) => file.tensors);
  const scores = hasRewardHead(folder);
  const own = guardedNow(() => addon().parameterShapes(backbone.name, numbers));
  const adapter = await openAdapter(folder, backbone, own, settings);
  const heads = scores ? rewardHeadShapes(numbers.l_hidden) : [];
  const wanted = [...own, ...heads];
  checkParameters(folder.dir, weights, folder.adapter ? own : wanted);
  if (folder.adapter && adapter) checkParameters(dir, [folder.adapter.weights], [...adapter.shapes, ...heads]);
  const frozen = freeze.flatMap((part) => backbone.prefixes[part]);
  const sizes: ModelSizes = {
    parameters: count(wanted),
    language: count(wanted.filter(({ name }) => starts(name, backbone.prefixes.language))),
    trained: count(wanted.filter(({ name }) => !starts(name, frozen))),
    adapter: count(adapter?.shapes ?? []),
    decoder: guardedNow(() => addon().decoderShape(backbone.name, numbers)),
  };
  return {
    backbone: backbone.name,
    kind: scores ? 'process reward model' : 'policy',
    parameters: sizes.parameters,
    positions: numbers.max_positions,
    tensors: tensors.length,
    files: folder.weights.length,
    dtypes: [...new Set(tensors.map(({ dtype }) => dtype))].sort(),
    diskBytes: bytesOf(folder),
    simd: addon().info().simd,
    plans: gpus.map((number) => ({ gpus: number, phases: planMemory(sizes, { ...work, gpus: number }) })),
  };
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
