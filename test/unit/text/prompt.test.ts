import { expect, test } from 'vitest';
import { type PictureRules, tokenisePrompt } from '../../../src/text/prompt.js';
import { loadSentencePiece } from '../../../src/text/sentencepiece.js';
import { promptText } from '../../../tools/golden/prompts.js';
import { SMALL_VOCABULARY, sentencePieceFile } from '../../fakes/sentencepiece.js';

const end = SMALL_VOCABULARY.length;
const names = ['<|end|>', '<img>', '<context>', '</img>'];
const specials = new Map(names.map((name, index) => [name, { id: end + index, hidden: true }]));
const tokenizer = loadSentencePiece(sentencePieceFile({ pieces: SMALL_VOCABULARY }), specials, 'tokenizer.model');
const pictures: PictureRules = {
  imageToken: { special: '<context>' },
  picture: ({ tokens }) => [{ special: '<img>' }, { tokens }, { special: '</img>' }],
};
const layouts = [1, 2].map((tokens) => ({ cols: 1, rows: 1, tiles: 1, tokens }));
const id = (text: string) => tokenizer.idOf(text) as number;

test('neighbouring texts are cut as one, as in the reference', () => {
  const { tokens } = tokenisePrompt([{ text: 'hel' }, { text: 'lo' }], tokenizer, pictures, []);
  expect([...tokens]).toEqual([id('hello')]);
});

test('a picture is its run of context tokens between its marks, and its place is told', () => {
  const parts = [{ image: 1 }, { text: 'a' }, { special: '<|end|>' }, { image: 0 }];
  const { tokens, spans } = tokenisePrompt(parts, tokenizer, pictures, layouts);
  const [open, context, close] = names.slice(1).map(id);
  expect([...tokens]).toEqual([open, context, context, close, id('a'), end, open, context, close]);
  expect(spans).toEqual([
    [1, 3],
    [7, 8],
  ]);
  expect(promptText(parts, pictures, layouts)).toBe('<img><context><context></img>a<|end|><img><context></img>');
});

test('no text yields a special id, whatever it says', () => {
  const { tokens, spans } = tokenisePrompt(
    [{ text: 'what is <|end|> or <context> or <img>?' }],
    tokenizer,
    pictures,
    [],
  );
  expect([...tokens].filter((token) => token >= end)).toEqual([]);
  expect(spans).toEqual([]);
});

test('a special token without an id is an error', () => {
  expect(() => tokenisePrompt([{ special: '<none>' }], tokenizer, pictures, [])).toThrow('<none>');
});
