// Checks before the network: lines of the tokenizer; text, cuts, ids and spans of a prompt.
import type { DescribedModel, OpenedModel } from '#src/engine/open.js';
import {
  type PictureLayout,
  type PictureRules,
  type PromptPart,
  promptPieces,
  tokenisePrompt,
} from '#src/text/prompt.js';
import type { GoldenFolder } from './inputs.js';
import { compareExact, type Report } from './report.js';
import type { OpenedPrompt } from './session.js';

/** Lines as the reference's tokenizer takes them, special strings recognised. */
export async function checkTokenizer(
  report: Report,
  { tokenizer }: DescribedModel,
  { place, begin, lines }: NonNullable<GoldenFolder['tokenizer']>,
): Promise<void> {
  const first = begin === undefined ? [] : [tokenizer.idOf(begin) as number];
  for (const [index, { text, ids, decoded }] of lines.entries()) {
    await report.check(`${place} ${index}`, 'input_ids', () =>
      compareExact([...first, ...tokenizer.encode(text, { specials: true })], ids),
    );
    if (decoded !== undefined)
      await report.check(`${place} ${index}`, 'decoded', () => compareExact(tokenizer.decode(ids).text, decoded));
  }
}

export async function checkPrompt(
  report: Report,
  { backbone, tokenizer }: OpenedModel,
  { input, layouts }: OpenedPrompt,
): Promise<void> {
  const { place, conversation, text, cuts, ids, spans } = input;
  const parts = backbone.render(conversation);
  const found = tokenisePrompt(parts, tokenizer, backbone, layouts);
  const written = { imageToken: backbone.imageToken, picture: text.picture ?? backbone.picture };
  await report.check(place, 'prompt_text', () => compareExact(promptText(parts, written, layouts), text.wanted));
  for (const { stage, of, wanted } of cuts)
    await report.check(place, stage, () => compareExact(layouts.flatMap(of), wanted));
  await report.check(place, 'input_ids', () => compareExact(found.tokens, ids));
  await report.check(place, 'image_token_spans', () => compareExact(found.spans.flat(), spans.flat()));
}

/** The prompt as the text that a reader would see, specials and image tokens spelt out. */
export function promptText(
  parts: readonly PromptPart[],
  rules: PictureRules,
  layouts: readonly PictureLayout[],
): string {
  const token = 'id' in rules.imageToken ? rules.imageToken.shown : rules.imageToken.special;
  const texts = promptPieces(parts, rules, layouts).map((piece) => {
    if ('text' in piece) return piece.text;
    if ('special' in piece) return piece.special;
    return token.repeat(piece.tokens);
  });
  return texts.join('');
}
