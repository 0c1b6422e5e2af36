// A prompt as parts, and the parts as token ids with the places of pictures.
import type { Tokenizer } from './tokenizer.js';

/** A special token by name, plain text (data, in which no special token is ever recognised), or a picture by index. */
export type PromptPart = { readonly special: string } | { readonly text: string } | { readonly image: number };

export interface TokenisedPrompt {
  readonly tokens: Int32Array;
  /** Half-open ranges of image tokens in `tokens`, one per run, in order of appearance. */
  readonly spans: readonly (readonly [number, number])[];
}

/** How the engine cuts one picture. */
export interface PictureLayout {
  readonly cols: number;
  readonly rows: number;
  readonly tiles: number;
  readonly tokens: number;
}

/** A piece of a written picture: a special token, text, or a run of image tokens. */
export type PicturePiece = { readonly special: string } | { readonly text: string } | { readonly tokens: number };

/** How a picture of this layout, the `index`-th of its prompt, is written. */
export type PictureForm = (layout: PictureLayout, index: number) => readonly PicturePiece[];

/** A special token of the vocabulary, or an id below 0 where the vocabulary has none. */
export type ImageToken = { readonly special: string } | { readonly id: number; readonly shown: string };

/** What a prompt needs to know of its backbone. */
export interface PictureRules {
  readonly imageToken: ImageToken;
  readonly picture: PictureForm;
}

/**
 * Ids of `parts`. Neighbouring texts are encoded as one, so that template and data meet as they do in the reference.
 * @param layouts of each picture, by the index that parts use
 * @throws Error when a special token has no id
 */
export function tokenisePrompt(
  parts: readonly PromptPart[],
  tokenizer: Tokenizer,
  rules: PictureRules,
  layouts: readonly PictureLayout[],
): TokenisedPrompt {
  const tokens: number[] = [];
  const spans: [number, number][] = [];
  const imageToken = 'id' in rules.imageToken ? rules.imageToken.id : specialId(tokenizer, rules.imageToken.special);
  let text = '';
  const endText = (): void => {
    if (text !== '') for (const id of tokenizer.encode(text)) tokens.push(id);
    text = '';
  };
  for (const piece of pieces(parts, rules, layouts)) {
    if ('text' in piece) {
      text += piece.text;
      continue;
    }
    endText();
    if ('special' in piece) {
      tokens.push(specialId(tokenizer, piece.special));
      continue;
    }
    const start = tokens.length;
    for (let i = piece.tokens; i > 0; i--) tokens.push(imageToken);
    spans.push([start, tokens.length]);
  }
  endText();
  return { tokens: Int32Array.from(tokens), spans };
}

/** The prompt as the text that a reader would see, specials and image tokens spelt out. */
export function promptText(
  parts: readonly PromptPart[],
  rules: PictureRules,
  layouts: readonly PictureLayout[],
): string {
  const token = 'id' in rules.imageToken ? rules.imageToken.shown : rules.imageToken.special;
  const texts = pieces(parts, rules, layouts).map((piece) => {
    if ('text' in piece) return piece.text;
    if ('special' in piece) return piece.special;
    return token.repeat(piece.tokens);
  });
  return texts.join('');
}

/** `parts` with every picture written out. */
function pieces(
  parts: readonly PromptPart[],
  rules: PictureRules,
  layouts: readonly PictureLayout[],
): readonly PicturePiece[] {
  return parts.flatMap((part) =>
    'image' in part ? rules.picture(layouts[part.image] as PictureLayout, part.image) : [part],
  );
}

/** Id of a special string. Throws Error when the tokenizer has none: backbones check theirs when a folder is opened. */
export function specialId(tokenizer: Tokenizer, name: string): number {
  const id = tokenizer.idOf(name);
  if (id === undefined) throw new Error(`the tokenizer has no special token ${name}`);
  return id;
}
