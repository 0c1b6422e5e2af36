// A prompt as parts, and the parts as token ids with the places of pictures.
import type { Tokenizer } from './tokenizer.js';

/** A special token by name, plain text (data, in which no special token is ever recognised), or a picture by index. */
export type PromptPart = { readonly special: string } | { readonly text: string } | { readonly image: number };

/** How the engine cuts one picture, and the image tokens that the tiles become. */
export interface PictureLayout {
  readonly cols: number;
  readonly rows: number;
  /** cols x rows, plus the thumbnail where there is one. */
  readonly tiles: number;
  readonly tokens: number;
}

/** A piece of a written picture: a special token, text, or a run of image tokens. */
export type PicturePiece = { readonly special: string } | { readonly text: string } | { readonly tokens: number };

/** What a prompt needs to know of its backbone. */
export interface PictureRules {
  /** What stands for one image token: a special token of the vocabulary, or an id below 0 where the vocabulary has none. */
  readonly imageToken: { readonly special: string } | { readonly id: number; readonly shown: string };
  /** How a picture of this layout, the `index`-th of its prompt, is written. */
  readonly picture: (layout: PictureLayout, index: number) => readonly PicturePiece[];
}

/**
 * Ids of `parts`, and the half-open ranges of image tokens in them, one a run, in order. Neighbouring texts are encoded as
 * one, so that template and data meet as they do in the reference.
 * @param layouts of each picture, by the index that parts use
 * @throws Error when a special token has no id: backbones check theirs when a folder is opened
 */
export function tokenisePrompt(
  parts: readonly PromptPart[],
  tokenizer: Tokenizer,
  rules: PictureRules,
  layouts: readonly PictureLayout[],
): { readonly tokens: Int32Array; readonly spans: readonly (readonly [number, number])[] } {
  const tokens: number[] = [];
  const spans: [number, number][] = [];
  const idOf = (special: string): number => {
    const id = tokenizer.idOf(special);
    if (id === undefined) throw new Error(`the tokenizer has no special token ${special}`);
    return id;
  };
  const imageToken = 'id' in rules.imageToken ? rules.imageToken.id : idOf(rules.imageToken.special);
  let text = '';
  const endText = (): void => {
    if (text !== '') for (const id of tokenizer.encode(text)) tokens.push(id);
    text = '';
  };
  for (const piece of promptPieces(parts, rules, layouts)) {
    if ('text' in piece) {
      text += piece.text;
      continue;
    }
    endText();
    if ('special' in piece) {
      tokens.push(idOf(piece.special));
      continue;
    }
    const start = tokens.length;
    for (let i = piece.tokens; i > 0; i--) tokens.push(imageToken);
    spans.push([start, tokens.length]);
  }
  endText();
  return { tokens: Int32Array.from(tokens), spans };
}

/** `parts` with every picture written out. */
export function promptPieces(
  parts: readonly PromptPart[],
  rules: PictureRules,
  layouts: readonly PictureLayout[],
): readonly PicturePiece[] {
  return parts.flatMap((part) =>
    'image' in part ? rules.picture(layouts[part.image] as PictureLayout, part.image) : [part],
  );
}
