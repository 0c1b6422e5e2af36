// What generation_config.json and the ids of config.json say about sampling: the tokens that end an answer are applied,
// what would change the chances of tokens is refused. Temperature, top-k, top-p and lengths are settings of a run instead.
import { z } from 'zod';
import { checked, checkedUnder } from '../../core/schema.js';

const neutral = (value: number) => z.literal([value, null]).optional();
const none = z.null().optional();
const nothing = z.union([z.null(), z.tuple([])], 'none').optional();

const settings = {
  do_sample: z.boolean().nullish(),
  temperature: z.number().min(0).nullish(),
  top_k: z.int().min(0).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  max_length: z.int().min(1).nullish(),
  max_new_tokens: z.int().min(1).nullish(),

  repetition_penalty: neutral(1),
  encoder_repetition_penalty: neutral(1),
  no_repeat_ngram_size: neutral(0),
  encoder_no_repeat_ngram_size: neutral(0),
  num_beams: neutral(1),
  num_beam_groups: neutral(1),
  diversity_penalty: neutral(0),
  typical_p: neutral(1),
  min_p: neutral(0),
  epsilon_cutoff: neutral(0),
  eta_cutoff: neutral(0),
  penalty_alpha: neutral(0),
  guidance_scale: neutral(1),
  min_length: neutral(0),
  min_new_tokens: neutral(0),
  forced_bos_token_id: none,
  forced_eos_token_id: none,
  exponential_decay_length_penalty: none,
  sequence_bias: nothing,
  bad_words_ids: nothing,
  suppress_tokens: nothing,
  begin_suppress_tokens: nothing,
  stop_strings: nothing,
};

/**
 * Ids that end an answer by these files, which generation_config.json has the say about.
 * @param config config.json, which describes the language model under `key`
 * @param generation its contents are undefined where there is no such file
 * @param ignored fields that only the reference's own sampling heeds
 * @throws UserError on an id that is none of the vocabulary, and on what the engine does not do
 */
export function endIds(
  config: { readonly file: string; readonly contents: unknown; readonly key?: string | undefined },
  generation: { readonly file: string; readonly contents: unknown },
  vocabulary: number,
  ignored: readonly string[] = [],
): readonly number[] {
  const id = z
    .int()
    .min(0)
    .max(vocabulary - 1);
  const ids = {
    bos_token_id: id.nullish(),
    pad_token_id: id.nullish(),
    eos_token_id: z.union([id, z.array(id)], `an id below ${vocabulary}, or a list of such ids`).nullish(),
  };
  const own = checkedUnder(z.object(ids), config.contents, config.key, config.file);
  const heeded = Object.fromEntries(Object.entries(settings).filter(([name]) => !ignored.includes(name)));
  const said = checked(z.object({ ...heeded, ...ids }), generation.contents ?? {}, generation.file);
  return [said.eos_token_id ?? own.eos_token_id ?? []].flat();
}
