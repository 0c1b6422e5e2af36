// Which matrices of a model an adapter is for, and whether a folder's adapter, its base and the settings agree.
import type { Backbone } from '../backbones/backbone.js';
import {
  ADAPTER_CONFIG,
  type AdapterPlan,
  adapterShapes,
  checkBase,
  targetsOf,
  weightDigest,
} from '../checkpoint/adapter.js';
import type { ModelFolder } from '../checkpoint/folder.js';
import type { ParameterShape } from '../checkpoint/parameters.js';
import { UserError } from '../core/errors.js';
import { shown } from '../core/printable.js';

/** Low-rank products that learn instead of the matrices beside them (LoRA). */
export interface AdapterSettings {
  readonly rank: number;
  /** The product is multiplied by alpha / rank. */
  readonly alpha: number;
  /** Ends of names of matrices in the layers of the language model, `q_proj` or `mlp.down_proj`; none: all of them. */
  readonly targets: readonly string[];
  /** A new adapter is drawn from it. */
  readonly seed: number;
  /** Folder of the model that checkpoints of adapters belong to. */
  readonly base: string;
}

/** The adapter of an open model. */
export interface OpenedAdapter extends AdapterPlan {
  readonly targets: readonly ParameterShape[];
  /** Parameters of the adapter itself. */
  readonly shapes: readonly ParameterShape[];
}

const LAYER = /\.layers\.\d+\./;

/** Matrices that can have an adapter: those of the language model's layers. */
function adaptable(shapes: readonly ParameterShape[], { prefixes }: Backbone): ParameterShape[] {
  return shapes.filter(
    ({ name, shape }) =>
      shape.length === 2 &&
      /\.weight$/.test(name) &&
      LAYER.test(name) &&
      prefixes.language.some((prefix) => name.startsWith(prefix)),
  );
}

/**
 * The adapter of a folder, or the new one that the settings ask for; undefined where there is none.
 * @param shapes of all parameters of the base
 * @throws UserError
 */
export async function openAdapter(
  folder: ModelFolder,
  backbone: Backbone,
  shapes: readonly ParameterShape[],
  settings: AdapterSettings | undefined,
): Promise<OpenedAdapter | undefined> {
  const { adapter, dir: base } = folder;
  if (!adapter && !settings) return undefined;
  const matrices = adaptable(shapes, backbone);
  const digest = await weightDigest(folder.weights);
  const opened = (form: AdapterPlan['form'], targets: readonly ParameterShape[]): OpenedAdapter => ({
    form,
    base,
    digest,
    targets,
    shapes: adapterShapes(targets, form.rank),
  });
  if (!adapter) {
    const { rank, alpha, targets } = settings as AdapterSettings;
    return opened({ rank, alpha, scale: alpha / rank }, chosen(matrices, targets, backbone));
  }
  checkBase(adapter, base, digest);
  const known = new Map(matrices.map((matrix) => [matrix.name, matrix]));
  const targets = targetsOf(adapter.weights.tensors).map((name) => {
    const matrix = known.get(name);
    if (matrix) return matrix;
    const wanted = `wanted matrices in the layers of the language model of ${backbone.name} only`;
    throw new UserError(`${adapter.weights.path}: ${shown(name)}: has an adapter, ${wanted}`);
  });
  if (targets.length === 0) throw new UserError(`${adapter.weights.path}: adapters: none, wanted at least one`);
  for (const name of ['rank', 'alpha'] as const) {
    const [found, wanted] = [adapter[name], settings?.[name] ?? adapter[name]];
    if (found !== wanted)
      throw new UserError(
        `${adapter.dir}/${ADAPTER_CONFIG}: ${name}: ${found}, wanted model.adapter.${name} (${wanted})`,
      );
  }
  return opened(adapter, targets);
}

/** The matrices that settings name. Throws UserError. */
function chosen(
  matrices: readonly ParameterShape[],
  targets: readonly string[],
  { name: backbone }: Backbone,
): ParameterShape[] {
  const moduleOf = (name: string): string => name.replace(/\.weight$/, '');
  const isNamed = (target: string, { name }: ParameterShape): boolean => `.${moduleOf(name)}`.endsWith(`.${target}`);
  for (const target of targets) {
    if (matrices.some((matrix) => isNamed(target, matrix))) continue;
    const kinds = new Set(matrices.map(({ name }) => moduleOf(name).split(LAYER)[1]));
    throw new UserError(
      `model.adapter.targets: ${shown(target)}, wanted matrices of ${backbone}: ${[...kinds].join(', ')}`,
      'ERR_SETTING',
    );
  }
  return targets.length === 0 ? [...matrices] : matrices.filter((matrix) => targets.some((t) => isNamed(t, matrix)));
}
