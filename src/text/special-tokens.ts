// Special strings of a checkpoint, from tokenizer_config.json and added_tokens.json.
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { checked } from '../core/schema.js';

export interface SpecialToken {
  readonly id: number;
  /** Hidden in decoded text. An added token that is not special shows its own string. */
  readonly hidden: boolean;
}

/** By string. */
export type SpecialTokens = ReadonlyMap<string, SpecialToken>;

const id = z
  .number()
  .int()
  .min(0)
  .max(2 ** 24);
const configSchema = z.object({
  added_tokens_decoder: z
    .record(
      z.string().regex(/^\d{1,8}$/),
      z.object({ content: z.string().min(1).max(1024), special: z.boolean().default(true) }),
    )
    .optional(),
});
const addedSchema = z.record(z.string().min(1).max(1024), id);

/** Parsed contents of the two files, undefined where a folder lacks one. Throws UserError naming `dir`'s file and field. */
export function readSpecialTokens(dir: string, tokenizerConfig: unknown, addedTokens: unknown): SpecialTokens {
  const byText = new Map<string, SpecialToken>();
  const byId = new Map<number, string>();
  const add = (file: string, text: string, token: SpecialToken): void => {
    const other = byId.get(token.id);
    if ((other !== undefined && other !== text) || (byText.get(text)?.id ?? token.id) !== token.id) {
      throw new UserError(`${dir}/${file}: ${JSON.stringify(text)}: id ${token.id}, given to another token already`);
    }
    if (other !== undefined) return;
    byId.set(token.id, text);
    byText.set(text, token);
  };
  const config = checked(configSchema, tokenizerConfig ?? {}, `${dir}/tokenizer_config.json`);
  for (const [key, token] of Object.entries(config.added_tokens_decoder ?? {})) {
    add('tokenizer_config.json', token.content, { id: Number(key), hidden: token.special });
  }
  for (const [text, id] of Object.entries(checked(addedSchema, addedTokens ?? {}, `${dir}/added_tokens.json`))) {
    add('added_tokens.json', text, { id, hidden: true });
  }
  return byText;
}
