// Escaping: whatever a text holds, it stays text.
import { describe, expect, test } from 'vitest';
import { escapeText, html, Markup } from '../../../src/page/html.js';

describe('html', () => {
  test('escapes texts in elements and attributes', () => {
    const evil = `</p><script>alert("1")</script>' onload='x`;
    const { text } = html`<p title="${evil}">${evil}</p>`;
    expect(text.match(/[<>]/g)).toHaveLength(4);
    expect(text).not.toMatch(/"1"|onload='/);
  });

  test('keeps markup, joins lists and leaves out what is not there', () => {
    const { text } =
      html`<ul>${[1, 2].map((n) => html`<li>${n}</li>`)}${false}${null}${undefined}${new Markup('<hr>')}</ul>`;
    expect(text).toBe('<ul><li>1</li><li>2</li><hr></ul>');
  });

  test('does not take an object that looks like markup for markup', () => {
    const parsed = JSON.parse('{"text":"<b>"}') as never;
    expect(() => html`${parsed}`).toThrow(TypeError);
  });
});

describe('escapeText', () => {
  test('replaces characters that HTML cannot hold', () => {
    expect(escapeText('a\u0000b\u001bc\ud800d\n\te')).toBe('a\ufffdb\ufffdc\ufffdd\n\te');
  });
});
