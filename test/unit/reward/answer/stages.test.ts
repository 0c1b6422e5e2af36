// The stages of the grader one by one: what is read of a response, what states an answer, stances, expressions, numbers in words.
import { describe, expect, it } from 'vitest';
import { findQuantities } from '../../../../src/reward/answer/arithmetic.js';
import { Choices } from '../../../../src/reward/answer/choices.js';
import { statedAnswers } from '../../../../src/reward/answer/extract.js';
import { NamedChoices } from '../../../../src/reward/answer/mentions.js';
import { findCjkNumbers } from '../../../../src/reward/answer/number.js';
import { finalText } from '../../../../src/reward/answer/response.js';
import { unify } from '../../../../src/reward/answer/text.js';
import { mstar } from '../../../../src/reward/protocol/mstar.js';

describe('unify', () => {
  it.each([
    ['plain', 'plain'],
    ['Ｂ　１２％', 'B 12%'],
    ['10⁶ and x²', '10^6 and x^2'],
    ['10⁻¹⁹', '10^{−19}'],
    ['2½ or ¾', '2 1/2 or 3/4'],
    ['8️⃣', '8'],
    ['答案是B。', '答案是B. '],
    ['CO₂', 'CO2'],
    ['1\u202f000', '1 000'],
  ])('%j reads %j', (text, plain) => expect(unify(text)).toBe(plain));
});

describe('finalText', () => {
  it.each([
    ['a', 'a'],
    ['<think>a</think> b', 'b'],
    ['<think>a', ''],
    ['<think>a</think>', ''],
    ['a <think>b', 'a'],
    ['a</think>b', 'b'],
    ['<THINKING>a</THINKING>b', 'b'],
    ['<SUMMARY>a</SUMMARY> <CONCLUSION> b </CONCLUSION>', 'b'],
    ['<answer>a</answer> or <answer>b</answer>', 'b'],
    ['<answer>a', 'a'],
    ['<answer></answer>', ''],
    ['a</s>b', 'a'],
    ['<|im_start|>assistant a<|im_end|>', 'assistant a'],
    ['<|begin_of_thought|>a<|end_of_thought|><|begin_of_solution|>b<|end_of_solution|>', 'b'],
    ['The answer is 1.\n\nQuestion: x\nThe answer is 2.', 'The answer is 1.'],
    ['Question: x\nThe answer is 2.', 'Question: x\nThe answer is 2.'],
    ['a\nQuestion: x\nThe answer is 2.', 'a\nQuestion: x\nThe answer is 2.'],
  ])('of %j reads %j', (response, text) => expect(finalText(response)).toBe(text));
});

describe('statedAnswers', () => {
  it.each<[string, string[]]>([
    ['nothing', []],
    ['The answer is 7. x', ['7. x']],
    ['The answer to the puzzle is **7**', ['7**']],
    ['\\boxed{7} so the answer is 8', ['8', '7']],
    ['the answer is 8, \\boxed{7}', ['7', '8, \\boxed{7}']],
    ['#### 7\nThe answer is 8', ['7', '8']],
    ['#### Summary', []],
    ['#### 1. First', []],
    ['\\boxed{7} then \\boxed{', ['']],
    ['\\boxed{7} then \\boxed{8', ['8']],
    ['write \\boxed here', []],
    ['\\boxed 7', ['7']],
    ['【答案】7', ['7']],
  ])('of %j are %j', (text, pieces) => {
    expect(statedAnswers(text, false).map(({ text }) => text)).toEqual(pieces);
  });
});

describe('what a text says of choices', () => {
  const choices = ['red', 'blue', 'green', 'yellow'];
  it.each<[string, string[]]>([
    ['B', ['mentioned B']],
    ['The bar is blue, not green.', ['mentioned B', 'denied C']],
    ['So it is blue.', ['drawn B']],
    ['B is correct. A is not.', ['concluded B', 'denied A']],
    ['A, C and D are wrong', ['denied A,C,D']],
    ['B, A is wrong', ['mentioned B', 'denied A']],
    ['(A) red. (B) blue.', ['mentioned A,B']],
    ['(D) option B', ['mentioned D']],
    ['We pick B over C', ['concluded B', 'denied C']],
    ['不是A，选B', ['denied A', 'concluded B']],
    ['A. Wrong. B. Right.', ['denied A', 'concluded B']],
    ['sin(C) at 10 A.M. I am', []],
    ['A cat sees (E)', []],
  ])('%j: %j', (text, said) => {
    const plain = unify(text);
    const groups = new NamedChoices(plain, choices).groups(true);
    expect(groups.map(({ stance, letters }) => `${stance} ${letters}`)).toEqual(said);
  });

  it('tells choices apart by case, and joins those that read the same', () => {
    const genes = ['EE', 'Ee', 'ee', 'Red', 'red', '18', '18.0', '1/2', '2/4'];
    expect(['AB', 'BC', 'DE', 'FG', 'HI'].map(([a, b]) => Choices.of(genes).same(a as string, b as string))).toEqual([
      ...[false, false, true, true, false],
    ]);
  });
});

describe('findQuantities', () => {
  it.each<[string, (number | null)[]]>([
    ['5 + 7', [12]],
    ['3x + 1', [null]],
    ['2pi', [2 * Math.PI]],
    ['5 cats + 3 dogs = 8', [8, 8]],
    ['8 (5 cats and 3 dogs)', [8, 5, 3]],
    ['4 x 8 and 5 plus 7', [32, 12]],
    ['5! and 5!.', [5, 120]],
    ['3-1/2, 7-3, 2010-2013', [3.5, 4, null]],
    ['2:1 at 10:30', [null, null]],
    ['- 5', [-5]],
    ['the total - 8', [8]],
    ['8 minus 3, minus 3, negative 4', [5, -3, -4]],
    ['1.5k, 1.5 million, 8 000, 1,23,45,678', [1500, 1.5e6, 8000, 12345678]],
    ['60m, 5th, 8 a day', [60, 5, 8]],
    ['sqrt(9), log(100), 2(x+3)', [3, 2, null]],
  ])('in %j finds %j', (text, values) => {
    expect(findQuantities(text).map(({ value }) => (Number.isNaN(value) ? null : value))).toEqual(values);
  });
});

describe('findCjkNumbers', () => {
  it.each([
    ['共有十二个', [12]],
    ['一共两百零五', [205]],
    ['三万二千', [32000]],
    ['二〇一九', [2019]],
    ['一些', []],
    ['12', []],
  ])('in %j finds %j', (text, values) => {
    expect(findCjkNumbers(text).map(({ value }) => value)).toEqual(values);
  });
});

describe('stages of the protocol mstar', () => {
  it('shows what was read, what states the answer and what is said of choices', () => {
    const row = {
      id: 'a',
      taskFormat: '',
      source: '',
      answer: 'B',
      questionType: 'multi_choice',
      answerType: 'text',
      choices: ['red', 'blue'],
      response: '<think>(A)</think>Not red. The answer is B.',
    } as const;
    expect(mstar.stages?.(row)).toEqual({
      read: 'Not red. The answer is B.',
      statements: ['after "answer is": B.', 'denied A: red', 'mentioned B: B'],
    });
  });
});
