// Escaping: whatever a text holds, it stays text.
import { describe, expect, test } from 'vitest';
import { escapeText, html, Markup, tidyMarkdown } from '../../../src/page/html.js';
import { table } from '../../../src/page/parts.js';

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

describe('Markdown of markup', () => {
  const shown = (markup: Markup): string => tidyMarkdown(markup.markdown);

  test('keeps words, emphasis, headings and lists; attributes and what is hidden leave no trace', () => {
    const list = ['one', 'two'].map((name) => html`<li>${name}</li>`);
    const markup = html`<h3>Title</h3><p class="${'big'}">Now <b class="${'up'}">${'+5.0'}</b><span class="hidden">points</span></p><ul>${list}</ul><img src="${'x'}">`;
    expect(shown(markup)).toBe('### Title\n\nNow **+5.0**\n\n- one\n- two\n');
  });

  test('does not let a text begin, end or become anything', () => {
    const evil = '# owned\n\n| a | b |\n[x](javascript:y) `c` **d** <img>';
    expect(shown(html`<p>${evil}</p>`)).toBe(
      '\\# owned \\| a \\| b \\| \\[x](javascript:y) \\`c\\` \\*\\*d\\*\\* &lt;img>\n',
    );
  });

  test('shows a table as one, and text as it stands line by line', () => {
    const rows = [{ name: 'a | b', count: 1 }];
    const numbers = table('Caption', rows, [['name', ({ name }) => name], false, ['count', ({ count }) => count]]);
    expect(shown(html`${numbers}<pre>${'x: 1\n  y: 2'}</pre>`)).toBe(
      'Caption:\n\n| name | count |\n| --- | ---: |\n| a \\| b | 1 |\n\n    x: 1\n      y: 2\n',
    );
  });
});
