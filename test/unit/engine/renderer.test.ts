// Problems as prompts, with a fake engine that gives every picture as many tokens as it is wide.
import { describe, expect, test } from 'vitest';
import { backbone } from '../../../src/backbones/internvl2.js';
import type { Problem } from '../../../src/core/types.js';
import { fillTemplate, Renderer } from '../../../src/engine/renderer.js';
import { PictureStore } from '../../../src/images/store.js';
import { loadSentencePiece } from '../../../src/text/sentencepiece.js';
import { solidPng } from '../../fakes/png.js';
import { SMALL_VOCABULARY, sentencePieceFile } from '../../fakes/sentencepiece.js';

const first = SMALL_VOCABULARY.length;
const specials = new Map([
  ['<s>', { id: 1, hidden: true }],
  ...['<|im_start|>', '<|im_end|>', '<img>', '</img>', '<IMG_CONTEXT>'].map(
    (name, i) => [name, { id: first + i, hidden: true }] as const,
  ),
]);
const tokenizer = loadSentencePiece(sentencePieceFile({ pieces: SMALL_VOCABULARY }), specials, 'tokenizer.model');
let layouts = 0;
const layout = (width: number) => {
  layouts++;
  return { cols: 1, rows: 1, tiles: 1, tokens: width };
};
const store = new PictureStore({ maxPixels: 1000, cacheBytes: 1e6 });
const model = { backbone, tokenizer, native: { imageLayout: layout }, numbers: { max_positions: 200 } };
const renderer = new Renderer(model, store, {
  system: 'sys',
  solve: 'solve {question}',
  givenAnswer: '{question} is {answer} {question}',
});
const problem = (over: Partial<Problem> = {}): Problem => ({
  id: '1',
  question: 'hello world',
  images: [{ bytes: solidPng(3, 1, [1, 2, 3]), name: 'a.png' }],
  answer: '42',
  questionType: 'free_form',
  answerType: 'text',
  choices: [],
  source: '',
  ...over,
});
const text = (tokens: Int32Array) => tokenizer.decode(tokens).text;
const context = specials.get('<IMG_CONTEXT>')?.id;

describe('prompts', () => {
  test('hold the filled template and the tokens of the pictures', async () => {
    const { tokens, images } = await renderer.prompt(problem(), 'solve');
    expect(text(tokens)).toBe('system\nsysuser\n\nsolve hello worldassistant\n');
    expect([...tokens].filter((id) => id === context)).toHaveLength(3);
    expect(tokens[0]).toBe(1);
    expect(images.map(({ width, height }) => [width, height])).toEqual([[3, 1]]);
  });

  test('that leave no position for a response are refused by name, but can be looked at', async () => {
    const long = problem({ id: 'p7', question: 'a b '.repeat(60) });
    expect((await renderer.anyPrompt(long, 'solve')).tokens.length).toBeGreaterThan(200);
    await expect(renderer.prompt(long, 'solve')).rejects.toThrow(
      /^prompt of problem p7: \d+ tokens, wanted fewer than the 200 positions of the model$/,
    );
  });

  test('the answer is shown only in the variant that says so', async () => {
    expect(text((await renderer.prompt(problem(), 'givenAnswer')).tokens)).toContain('hello world is 42 hello world');
    expect(text((await renderer.prompt(problem(), 'solve')).tokens)).not.toContain('42');
  });

  test('pictures come first, or stand where the question has a mark for each', async () => {
    const at = async (question: string) => {
      const { tokens } = await renderer.prompt(problem({ question }), 'solve');
      const place = tokens.indexOf(context as number);
      return [text(tokens.slice(0, place)), text(tokens.slice(place))].map((part) => part.replace(/^.*user\n/s, ''));
    };
    expect(await at('hello world')).toEqual(['', '\nsolve hello worldassistant\n']);
    expect(await at('hello <image> world')).toEqual(['solve hello ', ' worldassistant\n']);
    // Two marks for one picture place nothing.
    expect((await at('hello <image> <image>'))[0]).toBe('');
  });

  test('the number of special ids does not depend on the data', async () => {
    const count = async (question: string) => {
      const { tokens } = await renderer.prompt(problem({ question }), 'solve');
      return [...tokens].filter((id) => id <= 2 || id >= first).length;
    };
    expect(await count('what is <|im_end|> or <image> or <IMG_CONTEXT></s>?')).toBe(await count('x'));
  });

  test('ids are made once per problem and variant', async () => {
    const one = problem();
    const { tokens } = await renderer.prompt(one, 'solve');
    const before = layouts;
    expect((await renderer.prompt(one, 'solve')).tokens).toBe(tokens);
    expect(layouts).toBe(before);
    expect((await renderer.prompt(one, 'givenAnswer')).tokens).not.toBe(tokens);
  });

  test('a picture that cannot be used is an error of the prompt', async () => {
    const bad = problem({ images: [{ bytes: Buffer.from('x'), name: 'bad.png' }] });
    await expect(renderer.prompt(bad, 'solve')).rejects.toThrow('bad.png: picture');
  });
});

test('an answer ends with the end mark and holds no other special token', () => {
  expect([...renderer.response('hello')]).toEqual([
    SMALL_VOCABULARY.findIndex((piece) => piece.text === 'hello'),
    first + 1,
  ]);
  expect([...renderer.response('<|im_end|>')].filter((id) => id >= first)).toEqual([first + 1]);
});

test('an example carries its labels where it has them', async () => {
  const response = Int32Array.of(5, 6);
  expect(await renderer.example({ problem: problem(), variant: 'solve', response })).not.toHaveProperty('labels');
  const labels = Float32Array.of(1, 0);
  expect(await renderer.example({ problem: problem(), variant: 'solve', response, labels })).toMatchObject({
    response,
    labels,
  });
});

test('templates are filled in one pass', () => {
  expect(fillTemplate('{question}{answer}{other}', { question: '{answer}', answer: '$&' })).toBe('{answer}$&{other}');
});
