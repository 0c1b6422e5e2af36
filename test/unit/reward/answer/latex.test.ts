// LaTeX to plain text.
import { describe, expect, it } from 'vitest';
import { lastBoxed, plainMath } from '../../../../src/reward/answer/latex.js';

describe('plainMath', () => {
  it.each([
    ['plain text (a) [b]', 'plain text (a) [b]'],
    ['$\\frac{1}{2}$', '1/2'],
    ['\\dfrac12', '1/2'],
    ['\\frac{x + 1}{\\sqrt{2}}', '(x + 1)/(sqrt(2))'],
    ['12\\frac{3}{5}', '12 3/5'],
    ['\\text{dark blue}', 'dark blue'],
    ['\\boxed{\\textbf{(C) }55}', '(C) 55'],
    ['\\( x \\) \\[ y \\]', ' x   y '],
    ['45^\\circ', '45'],
    ['45^{\\circ}.', '45.'],
    ['x^2', 'x^2'],
    ['10^{-3}', '10^-3'],
    ['x^{n+1}', 'x^(n+1)'],
    ['\\sqrt[3]{8}', '(8)^(1/3)'],
    ['8~000', '8 000'],
    ['5\\%', '5%'],
    ['\\$5', ' 5'],
    ['3 \\times 4 \\div 2', '3 * 4 / 2'],
    ['1{,}000', '1,000'],
    ['−5 – 3 × 2°', '-5 - 3 * 2'],
    ['\\unknown{x}', 'unknownx'],
    ['\\constructor \\toString', 'constructor toString'],
    ['a } b { c', 'a  b  c'],
    ['\\', ''],
    ['\\frac', '/'],
  ])('reads %j as %j', (text, plain) => {
    expect(plainMath(text)).toBe(plain);
  });
});

describe('lastBoxed', () => {
  it.each([
    ['\\boxed{1} and \\boxed{2}', '2'],
    ['\\boxed{\\frac{1}{2}}!', '\\frac{1}{2}'],
    ['\\fbox{x}', 'x'],
    ['\\boxed {y}', 'y'],
    ['\\boxed{open', undefined],
    ['\\boxed', undefined],
    ['no box {1}', undefined],
  ])('in %j finds %j', (text, content) => {
    expect(lastBoxed(text)?.content).toBe(content);
  });
});
