// The rotation of positions, which files of different years of Hugging Face's library name differently.
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { UserError } from '../../core/errors.js';
import { checkedUnder } from '../../core/schema.js';

const kind = z.string().optional();
const ropeSchema = z
  .looseObject({
    type: kind,
    rope_type: kind,
    rope_theta: z.number().optional(),
    original_max_position_embeddings: z.number().optional(),
    partial_rotary_factor: z.literal(1).optional(),
  })
  .nullish();
const schema = z.looseObject({
  rope_theta: z.number().optional(),
  original_max_position_embeddings: z.number().optional(),
  rope_scaling: ropeSchema,
  rope_parameters: ropeSchema,
});

/** One rotation under two names. */
const alias: Readonly<Record<string, string>> = { su: 'longrope' };

/**
 * `config` with its rotation as `rope_theta`, `original_max_position_embeddings` and `rope_scaling`, which has a `type` or
 * is null; read from these or from `rope_parameters`, with `type` or `rope_type`. One whose frequencies turn by several
 * positions (`mrope_section`) has the type `mrope`, whatever else it is called.
 * @param key of `config` in the file; the file's whole contents when left out
 * @throws UserError where two of these contradict each other
 */
export function withRope(config: unknown, file: string, key?: string): unknown {
  // For the backbone to refuse.
  if (typeof config !== 'object' || config === null) return config;
  const at = key === undefined ? '' : `${key}.`;
  const document = key === undefined ? config : { [key]: config };
  const { rope_scaling: scaling, rope_parameters: parameters, ...rest } = checkedUnder(schema, document, key, file);
  const same = <T>(field: string, found: T | undefined, wanted: T | undefined, where: string): T | undefined => {
    if (found === undefined || wanted === undefined || isDeepStrictEqual(found, wanted)) return found ?? wanted;
    throw new UserError(
      `${file}: ${at}${field}: ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)} (${where})`,
    );
  };
  let found: Record<string, unknown> | null | undefined;
  for (const [name, given] of Object.entries({ rope_parameters: parameters, rope_scaling: scaling })) {
    if (!given) continue;
    const { type, rope_type, rope_theta: theta, original_max_position_embeddings: original, ...more } = given;
    const { partial_rotary_factor: _, ...others } = more;
    rest.rope_theta = same(`${name}.rope_theta`, theta, rest.rope_theta, 'rope_theta');
    rest.original_max_position_embeddings = same(
      `${name}.original_max_position_embeddings`,
      original,
      rest.original_max_position_embeddings,
      'original_max_position_embeddings',
    );
    const isSectioned = others.mrope_section !== undefined;
    const canonical = (one: string | undefined) =>
      one === undefined ? undefined : isSectioned && one === 'default' ? 'mrope' : (alias[one] ?? one);
    const kind =
      same(`${name}.rope_type`, canonical(rope_type), canonical(type), `${name}.type`) ??
      (isSectioned ? 'mrope' : 'default');
    const rotation = kind === 'default' ? null : { type: kind, ...others };
    found = same(name, rotation, found, 'rope_parameters') as typeof found;
  }
  return { ...rest, rope_scaling: found ?? null };
}
