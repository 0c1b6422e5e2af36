// A prompt as parts, and the parts as token ids with the places of pictures.
// Leaves chat templates to backbones/ and the number of tokens per picture to the engine.
import type { Tokenizer } from './tokenizer.js';

/** A special token by name, plain text (data, in which no special token is ever recognised), or a picture by index. */
export type PromptPart = { readonly special: string } | { readonly text: string } | { readonly image: number };

export interface TokenisedPrompt {
  readonly tokens: Int32Array;
  /** Half-open ranges of context ids in `tokens`, one per picture part, in order of appearance. */
  readonly spans: readonly (readonly [number, number])[];
}

/** How a picture is written: special tokens around a run of one context token. */
export interface PictureTokens {
  readonly before: readonly string[];
  readonly context: string;
  readonly after: readonly string[];
}

/**
 * Ids of `parts`. Neighbouring texts are encoded as one, so that template and data meet as they do in the reference.
 * @param imageTokens context tokens of each picture, by the index that parts use
 * @throws Error when a special token has no id
 */
export function tokenisePrompt(
  parts: readonly PromptPart[],
  tokenizer: Tokenizer,
  pictures: PictureTokens,
  imageTokens: readonly number[],
): TokenisedPrompt {
  const tokens: number[] = [];
  const spans: [number, number][] = [];
  let text = '';
  const endText = (): void => {
    if (text !== '') for (const id of tokenizer.encode(text)) tokens.push(id);
    text = '';
  };
  for (const part of parts) {
    if ('text' in part) {
      text += part.text;
      continue;
    }
    endText();
    if ('special' in part) {
      tokens.push(specialId(tokenizer, part.special));
      continue;
    }
    for (const name of pictures.before) tokens.push(specialId(tokenizer, name));
    const start = tokens.length;
    const context = specialId(tokenizer, pictures.context);
    for (let i = imageTokens[part.image] as number; i > 0; i--) tokens.push(context);
    spans.push([start, tokens.length]);
    for (const name of pictures.after) tokens.push(specialId(tokenizer, name));
  }
  endText();
  return { tokens: Int32Array.from(tokens), spans };
}

/** The prompt as the text that a reader would see, specials and context tokens spelt out. */
export function promptText(
  parts: readonly PromptPart[],
  pictures: PictureTokens,
  imageTokens: readonly number[],
): string {
  const texts = parts.map((part) => {
    if ('text' in part) return part.text;
    if ('special' in part) return part.special;
    return [...pictures.before, pictures.context.repeat(imageTokens[part.image] as number), ...pictures.after].join('');
  });
  return texts.join('');
}

/** Id of a special string. Throws Error when the tokenizer has none: backbones check theirs when a folder is opened. */
export function specialId(tokenizer: Tokenizer, name: string): number {
  const id = tokenizer.idOf(name);
  if (id === undefined) throw new Error(`the tokenizer has no special token ${name}`);
  return id;
}
