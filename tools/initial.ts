// How a parameter of a new model is filled.
import type { Backbone, ModelNumbers } from '#src/backbones/backbone.js';

/** One value everywhere, or independent normal draws around 0 with this deviation. */
export type Initial = { readonly constant: number } | { readonly normal: number };

/** By its name and shape, and the numbers of its model. */
export function initialOf(
  { initial, prefixes }: Backbone,
  name: string,
  shape: readonly number[],
  numbers: Pick<ModelNumbers, 'v_layers' | 'l_layers'>,
): Initial {
  const isTable = initial.table.test(name);
  if (/(_GN|bias)$/.test(name)) return { constant: 0 };
  if (shape.length === 1 && !isTable) return { constant: 1 };
  const inputs = isTable ? (shape.at(-1) as number) : shape.slice(1).reduce((product, size) => product * size, 1);
  const depth = prefixes.vision.some((prefix) => name.startsWith(prefix)) ? numbers.v_layers : numbers.l_layers;
  const shrink = initial.residual.test(name) ? Math.sqrt(2 * depth) : 1;
  return { normal: (0.02 * Math.sqrt(initial.width / inputs)) / shrink };
}
