// Mathematical answers: pairs that are the same, pairs that are not, how they are found in a response, hostile text.
import { describe, expect, it } from 'vitest';
import { grade } from '../../../../src/reward/answer/grade.js';
import { parseMath } from '../../../../src/reward/answer/math/parse.js';

const verdict = (answer: string, response: string): string =>
  grade({ answer, questionType: 'free_form', answerType: 'expression', choices: [] }, response).verdict;

describe('the same', () => {
  it.each([
    ['$\\frac{1}{2}$', '0.5'],
    ['$\\frac12$', '$\\dfrac { 1 } { 2 }$'],
    ['$1\\frac{1}{2}$', '1 1/2'],
    ['$2\\sqrt{3}$', '$\\sqrt{12}$'],
    ['$\\frac{1}{\\sqrt{3}}$', '$\\frac{\\sqrt{3}}{3}$'],
    ['$2\\pi$', '6.283185307'],
    ['$0.\\overline{3}$', '$\\frac13$'],
    ['$12{,}000$', '12,000'],
    ['10 000', '10000'],
    ['1.234,56', '1234.56'],
    ['$\\$3.50$', '3.5'],
    ['$75\\%$', '0.75'],
    ['75', '75 percent'],
    ['100', 'one hundred'],
    ['$3 \\times 10^8$', '$3\\times 10^{8} \\mathrm{~m/s}$'],
    ['$5\\text{ cm}$', '5'],
    ['12', '12 apples'],
    ['$30^\\circ$', '30'],
    ['$\\frac{\\pi}{4}$', '$45^\\circ$'],
    ['$x^2+2x+1$', '$(x+1)^2$'],
    ['66.7', '$\\frac{200}{3}$'],
    ['0.333', '$\\frac13$'],
    ['5', '5 N'],
    ['$\\sin^2 x+\\cos^2 x$', '1'],
    ['$\\tan 45^\\circ$', '1'],
    ['$\\cos^{-1}(0)$', '$\\frac{\\pi}{2}$'],
    ['$\\log_2 8$', '3'],
    ['$\\binom{5}{2}$', '10'],
    ['$\\frac{(n-1)!\\,n}{2}$', '$\\frac{n!}{2}$'],
    ['$e^{i\\pi}$', '-1'],
    ['$3-\\sqrt{-4}$', '$3-2i$'],
    ['$x^{2/3}$', '$\\sqrt[3]{x}^2$'],
    ['$x=3$', '3'],
    ['$E=mc^2$', '$mc^2$'],
    ['$x=\\pm\\sqrt{2}$', '$\\{\\sqrt2,-\\sqrt2\\}$'],
    ['$x=2, y=3$', '$y=3, x=2$'],
    ['$x=2, y=3$', '$(2,3)$'],
    ['$\\{1,2,3\\}$', '3, 1 and 2'],
    ['$(0,0),(0,0),(1,2)$', '$(1,2),(0,0)$'],
    ['$(-\\infty, 2)\\cup(3, \\infty)$', '$x<2$ or $x>3$'],
    ['$[3,\\infty)$', '$x\\geq 3$'],
    ['$1 < x < 3$', '$x\\in(1,3)$'],
    ['$\\{x\\mid 1<x<2\\}$', '$(1,2)$'],
    ['$\\mathbb{R}\\setminus\\{3\\}$', '$(-\\infty,3)\\cup(3,\\infty)$'],
    ['$\\begin{pmatrix}1\\\\2\\end{pmatrix}$', '$\\left[\\begin{array}{c}1\\\\2\\end{array}\\right]$'],
    ['$\\left\\{\\begin{array}{l}x=1\\\\y=2\\end{array}\\right.$', '$x=1,y=2$'],
    ['$y=2x+1$', '$2x - y + 1 = 0$'],
    ['$\\frac{x^{2}}{4}-y^2=1$', '$x^2-4y^2=4$'],
    ['$x<3$', '$3>x$'],
    ['1:2', '$a:b=1:2$'],
    ['$\\text{no solution}$', 'No solution'],
    ['no', 'No, it is not.'],
    ['$\\text{(C)}$', 'The answer is C.'],
    ['B', 'It is not A, so I think B'],
  ])('%j and %j', (gold, response) => expect(verdict(gold, response)).toBe('correct'));
});

describe('not the same', () => {
  it.each([
    ['$2\\pi$', '6.28'],
    ['0.33', '$\\frac13$'],
    ['$\\frac13$', '0.333'],
    ['7', `$${'9'.repeat(400)}$`],
    ['$-5$', '5'],
    ['$2x^2$', '$2x^3$'],
    ['$2xyz$', '$3xyz$'],
    ['$1.6 \\times 10^{-19}$', '$1.6 \\times 10^{-18}$'],
    ['$\\sqrt{x^2}$', '$x$'],
    ['$(2,3]$', '$[2,3]$'],
    ['$(1,2,3)$', '$(3,2,1)$'],
    ['$x=2,y=3$', '$x=3,y=2$'],
    ['$x=1$', '$y=1$'],
    ['$y=2x+1$', '$y=2x-1$'],
    ['$x<3$', '$x>3$'],
    ['5', '5, 6'],
    ['$\\pm 4$', '4'],
    ['$50\\%$', '5'],
    ['$2^{1994}$', '$3^{1000}$'],
    ['$-\\infty$', '$\\infty$'],
    ['32349', '$\\boxed{32, 349}$'],
    ['B', 'The answer is A'],
  ])('%j and %j', (gold, response) => expect(verdict(gold, response)).toBe('wrong'));
});

describe('the answer in a response', () => {
  it.each([
    ['9', 'We get \\[ x = 9 \\]'],
    ['9', 'So $a=3$ and $b=9$. Thus the final answer is 9.'],
    ['9', 'First \\boxed{3}. Then the last one is $\\boxed{9}$, as I said.'],
    ['1,2', 'So \\boxed{1} and \\boxed{2}.'],
    ['34', 'Final Answer: The largest $n$ is 34.'],
    ['$(-6,10)$', 'The final answer is \\((-6, 10)\\). I hope it is correct.'],
    ['99', '所以答案是99'],
    ['17', '<think>16? The answer is 16.</think> **17**'],
  ])('gold %j in %j', (gold, response) => expect(verdict(gold, response)).toBe('correct'));

  it('is missing where there is none', () => expect(verdict('9', '')).toBe('unreadable'));
});

describe('hostile text', () => {
  it('braces nested a thousand deep are no answer', () => {
    expect(parseMath(`${'{'.repeat(1000)}7${'}'.repeat(1000)}`)).toBeNull();
    expect(parseMath(`${'{'.repeat(20)}7${'}'.repeat(20)}`)).toMatchObject({ kind: 'number', value: 7 });
  });

  it('nothing of a text is run', () => expect(verdict('7', '(() => process.exit(1))()')).not.toBe('correct'));
});
