// Charts as text: accessible, repeatable, in the colours of the page; and the arithmetic behind them.
import { describe, expect, test } from 'vitest';
import { type Chart, rampColour, shareScale, tickRows } from '../../../src/page/charts/axes.js';
import { barChart, lyingBars } from '../../../src/page/charts/bars.js';
import { forestChart, intervalChart } from '../../../src/page/charts/interval.js';
import { lineChart, spread, thin } from '../../../src/page/charts/line.js';
import { drawSvg, standaloneSvg } from '../../../src/page/charts/svg.js';

const svgOf = (chart: Chart): string => drawSvg({ id: 'a-chart', title: 'A <title>', chart }).text;
const draw = (): string =>
  svgOf(
    lineChart({
      xName: 'iteration',
      categories: ['start', '1'],
      lines: [
        {
          name: 'T 1',
          colour: 'var(--t0)',
          points: [
            [0, 0.5],
            [1, 0.75],
          ],
        },
        {
          name: 'T <2>',
          colour: 'var(--t1)',
          points: [
            [0, 0.5],
            [1, null],
          ],
        },
      ],
      share: true,
    }),
  );

describe('the names of an axis', () => {
  const checkpoints = (iterations: number) => [
    'base',
    'warm-up',
    ...Array.from({ length: iterations }, (_, i) => String(i + 1)),
  ];

  test('stand in one row where there is room', () => {
    expect(tickRows(checkpoints(4), 354)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test.each([8, 12, 30, 60])(
    'with %i iterations still hold every word and no two numbers in one place',
    (iterations) => {
      const names = checkpoints(iterations);
      const rows = tickRows(names, 354);
      expect(rows.slice(0, 2)).toEqual([0, 1]);
      const ends = names.flatMap((name, i) => {
        const middle = ((i + 0.5) * 354) / names.length;
        return rows[i] === 0 ? [[middle - name.length * 3.3, middle + name.length * 3.3] as const] : [];
      });
      expect(ends.length).toBeGreaterThanOrEqual(iterations / 4);
      expect(ends.filter(([start], i) => i > 0 && start < ends[i - 1]![1])).toEqual([]);
    },
  );

  test('are all drawn, whatever the library takes for an overlap', () => {
    const names = checkpoints(30);
    const estimates = names.map((name, i) => ({ name, mean: i / 40, low: i / 50, high: i / 35 }));
    const svg = svgOf(intervalChart('checkpoint', estimates));
    const drawn = [...svg.matchAll(/<text[^>]*>(base|warm-up|\d+)<\/text>/g)].map(([, name]) => name);
    expect(drawn).toEqual(names.filter((_, i) => tickRows(names, 354)[i] !== null));
  });
});

describe('a chart', () => {
  test('says what it shows to readers who do not see it', () => {
    const svg = draw();
    expect(svg).toContain('role="img" aria-labelledby="a-chart-title a-chart-desc"');
    expect(svg).toContain(
      '<title id="a-chart-title">A &lt;title&gt;</title><desc id="a-chart-desc">T 1: start 50.0 %, 1 75.0 %; T &lt;2&gt;: start 50.0 %, 1 –</desc>',
    );
  });

  test('is told in words, each kind in its own', () => {
    const bars = [{ name: 'kept', colour: 'var(--s1)', values: [1200, 0] }] as const;
    expect(barChart({ xName: 'x', categories: ['a', 'b'], bars }).description).toBe('kept: 1\u202f200 at a, 0 at b');
    expect(lyingBars([{ name: 'bars', value: 3, text: '3 s' }]).description).toBe('bars 3 s');
    const estimate = { name: 'base', mean: 0.5, low: 0.4, high: 0.6 };
    expect(intervalChart('checkpoint', [estimate]).description).toBe('base 50.0 % (40.0 to 60.0)');
    expect(forestChart('points', [{ ...estimate, text: '+50.0' }], 0).description).toBe('base: +50.0');
    const points = Array.from({ length: 40 }, (_, i) => [i + 1, 4 - i / 10] as const);
    const lines = [{ name: 'loss', colour: 'var(--s1)', points }] as const;
    expect(lineChart({ xName: 'step', lines }).description).toBe('loss: 40 values, first 4, last 0.1');
  });

  test('of lines tells a pointer what is where, of a long line at places apart', () => {
    const points = [
      [0, 0.5],
      [1, null],
      [2, 0.75],
    ] as const;
    const line = { name: 'T <1>', colour: 'var(--s1)', points } as const;
    const svg = svgOf(
      lineChart({
        xName: 'iteration',
        lines: [
          line,
          {
            ...line,
            name: 'T 2',
            points: [
              [2, 0.75],
              [3, Number.NaN],
            ],
          },
        ],
        share: true,
      }),
    );
    const found = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)" r="8"><title>([^<]*)<\/title>/g)];
    expect(found.map(([, , , text]) => text)).toEqual([
      'T &lt;1&gt;, iteration 0: 50.0 %',
      'T &lt;1&gt;, iteration 2: 75.0 %\nT 2, iteration 2: 75.0 %',
    ]);
    const [[, left, low] = [], [, right, high] = []] = found;
    expect([Number(left) < Number(right), Number(high) < Number(low)]).toEqual([true, true]);
    const long = Array.from({ length: 1000 }, (_, i) => [i, i] as const);
    const many = svgOf(lineChart({ xName: 'step', lines: [{ ...line, points: long }] }));
    expect(many.match(/<circle cx/g)).toHaveLength(60);
    expect(many).toContain('step 999: 999<');
  });

  test('that does not name its parts has a legend', () => {
    const lines = ['PRM', 'perfect'].map((name) => ({ name, colour: 'var(--s1)' as const, points: [[0, 1]] as const }));
    expect(lineChart({ xName: 'x', lines }).legend).toEqual(lines);
    expect(lineChart({ xName: 'x', lines, share: true }).legend).toEqual([]);
  });

  test('of rows draws each interval, its single values and its text', () => {
    const row = { name: 'top 2', mean: 0.02, low: 0.01, high: 0.03, values: [0.01, 0.03], text: '+2.0' };
    const svg = svgOf(forestChart('points', [row, { ...row, name: 'alone', low: null, high: null }], 0));
    expect(svg).toContain('viewBox="0 0 720 120"');
    for (const text of ['top 2', 'alone', '+2.0', 'points']) expect(svg).toContain(`>${text}</text>`);
  });

  test('of rows has upright ends where an interval has no width, too', () => {
    const row = { name: 'a', mean: 0.02, low: 0.02, high: 0.02, text: '+2.0' };
    const ends = [...svgOf(forestChart('points', [row])).matchAll(/d="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)"/g)]
      .map(([, ...numbers]) => numbers.map(Number) as [number, number, number, number])
      .filter(([x1, y1, x2, y2]) => x1 === x2 && Math.abs(y2 - y1) === 10);
    expect(ends).toHaveLength(2);
  });

  test('has the same text whenever it is drawn', () => {
    expect(draw()).toBe(draw());
  });

  test('holds no style, no class and no colour that would not follow the page', () => {
    const lines = Array.from({ length: 8 }, (_, i) => ({
      name: `T ${i}`,
      colour: rampColour(i, 8),
      points: [[0, i / 10]] as const,
    }));
    const svg = svgOf(lineChart({ xName: 'iteration', categories: ['start'], lines, share: true }));
    expect(svg).not.toMatch(/<style|class=/);
    const colours = [...svg.matchAll(/ (?:fill|stroke)="([^"]*)"/g)].map(([, colour]) => colour);
    expect(colours.length).toBeGreaterThan(20);
    // The area of a clip path is never painted.
    expect(
      [...new Set(colours)].filter((colour) => !/^(var\(--[a-z0-9]+\)|none|#000)$/.test(colour as string)),
    ).toEqual([]);
  });

  test('names its lines at their ends, escaped', () => {
    const svg = draw();
    expect(svg).toContain('>T 1</text>');
    expect(svg).toContain('>T &lt;2&gt;</text>');
  });

  test('draws without any value', () => {
    const empty = lineChart({
      xName: 'x',
      categories: ['1'],
      lines: [{ name: 'a', colour: 'var(--s1)', points: [[0, null]] }],
      share: true,
    });
    expect(svgOf(empty)).toMatch(/^<svg .*<\/svg>$/);
    expect(svgOf(barChart({ xName: 'x', categories: [], bars: [] }))).toMatch(/^<svg /);
  });

  test('writes the value over each interval', () => {
    const estimates = [
      { name: 'base', mean: 0.4, low: 0.3, high: 0.5 },
      { name: '1', mean: 0.625, low: 0.5, high: 0.7 },
    ];
    const svg = svgOf(intervalChart('checkpoint', estimates));
    expect(svg).toContain('>40.0</text>');
    expect(svg).toContain('>62.5</text>');
  });
});

describe('shareScale', () => {
  test.each([
    [[0.4, 0.72], 0.4, 0.8],
    [[1, 1], 0.92, 1],
    [[0, 0], 0, 0.08],
    [[-0.1, 0.05], -0.1, 0.05],
    [[0, 1], 0, 1],
  ])('of %j reaches from %d to %d', (values, least, most) => {
    const { min, max, interval } = shareScale(values);
    expect(min).toBeLessThanOrEqual(Math.min(...values) + 1e-9);
    expect(max).toBeGreaterThanOrEqual(Math.max(...values) - 1e-9);
    expect([min, max].map((one) => Number(one.toFixed(6)))).toEqual([least, most]);
    expect((max - min) / interval).toBeLessThanOrEqual(6);
  });
});

describe('spread', () => {
  test('leaves names alone that do not touch', () => {
    expect(spread([50, 10, 90], 14, 0, 100)).toEqual([50, 10, 90]);
  });

  test('moves names that touch apart around where they want to be', () => {
    expect(spread([50, 50, 50], 10, 0, 100)).toEqual([40, 50, 60]);
  });

  test('keeps to the given room at both ends', () => {
    expect(spread([0, 0], 10, 0, 100)).toEqual([0, 10]);
    expect(spread([100, 100, 40], 10, 0, 100)).toEqual([90, 100, 40]);
  });
});

describe('thin', () => {
  test('keeps a short curve', () => {
    expect(
      thin(
        [
          [1, 2],
          [2, null],
        ],
        5,
      ),
    ).toEqual([
      [1, 2],
      [2, null],
    ]);
  });

  test('takes the mean of finite values over equal stretches', () => {
    expect(
      thin(
        [
          [1, 2],
          [2, 4],
          [3, null],
          [4, 6],
          [5, null],
          [6, null],
        ],
        3,
      ),
    ).toEqual([
      [1.5, 3],
      [3.5, 6],
      [5.5, null],
    ]);
  });
});

describe('a chart as a file of its own', () => {
  const bars = [
    { name: 'kept <2>', colour: 'var(--k1)', values: [1, 2] },
    { name: 'kept 4', colour: 'var(--k4)', values: [2, 1] },
  ] as const;
  const chart = barChart({ xName: 'x', categories: ['a', 'b'], bars });
  const svg = standaloneSvg({ id: 'a-chart', title: 'A <title>', chart });

  test('names its colours, title and legend itself, under its chart', () => {
    expect(svg).not.toMatch(/var\(|color-mix/);
    expect(svg).toContain('>A &lt;title&gt;</text>');
    expect(svg).toContain('>kept &lt;2&gt;</text>');
    expect(svg).toMatch(
      /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" width="420" height="308" viewBox="0 0 420 308" role="img"/,
    );
    expect(svg.endsWith('</g>\n</svg>\n')).toBe(true);
  });

  test('has the colours of the page in the light', () => {
    // 45 % of #0a6bc2 in white, and 40 % of it in #1c2128, each rounded.
    expect(svg).toContain('fill="#91bce4"');
    expect(svg).toContain('fill="#153f66"');
    expect(svg).toContain('fill="#fff"');
  });
});
