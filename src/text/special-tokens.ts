// Special strings of a checkpoint, from tokenizer_config.json and added_tokens.json.
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { checked } from '../core/schema.js';

/** Ids by string. `hidden`: from decoded text; an added token that is not special shows its own string. */
export type SpecialTokens = ReadonlyMap<string, { readonly id: number; readonly hidden: boolean }>;

/** Parsed contents of the two files, undefined where a folder lacks one. Throws UserError naming `dir`'s file and field. */
export function readSpecialTokens(dir: string, tokenizerConfig: unknown, addedTokens: unknown): SpecialTokens {
  const text = z.string().min(1).max(1024);
  const id = z
    .int()
    .min(0)
    .max(2 ** 24);
  const byKey = z.record(
    z.string().regex(/^\d{1,8}$/),
    z.object({ content: text, special: z.boolean().default(true) }),
  );
  const configSchema = z.object({ added_tokens_decoder: byKey.optional() });

  const byText = new Map<string, { readonly id: number; readonly hidden: boolean }>();
  const byId = new Map<number, string>();
  const add = (file: string, text: string, id: number, hidden: boolean): void => {
    const other = byId.get(id);
    if ((other !== undefined && other !== text) || (byText.get(text)?.id ?? id) !== id) {
      throw new UserError(`${dir}/${file}: ${JSON.stringify(text)}: id ${id}, given to another token already`);
    }
    if (other !== undefined) return;
    byId.set(id, text);
    byText.set(text, { id, hidden });
  };
  const config = checked(configSchema, tokenizerConfig ?? {}, `${dir}/tokenizer_config.json`);
  for (const [key, { content, special }] of Object.entries(config.added_tokens_decoder ?? {}))
    add('tokenizer_config.json', content, Number(key), special);
  const added = checked(z.record(text, id), addedTokens ?? {}, `${dir}/added_tokens.json`);
  for (const [text, id] of Object.entries(added)) add('added_tokens.json', text, id, true);
  return byText;
}
