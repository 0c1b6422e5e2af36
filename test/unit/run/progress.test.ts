import { describe, expect, test } from 'vitest';
import { Progress } from '../../../src/run/progress.js';
import { describeSeconds, type Moment, openDisplay } from '../../../src/run/terminal.js';

/** A progress whose clock the test turns. */
function watched() {
  const shown: Moment[] = [];
  const clock = { seconds: 0 };
  const display = { show: (moment: Moment) => shown.push(moment), say() {}, close() {} };
  return { progress: new Progress(display, () => clock.seconds), shown, clock };
}

describe('progress', () => {
  test('tells the time left from the speed of each kind of work, the unseen kinds by comparison', () => {
    const { progress, clock, shown } = watched();
    progress.plan([
      { phase: 'a', kind: 'sample', count: 100 },
      { phase: 'a', kind: 'score', count: 100 },
      { phase: 'b', kind: 'sample', count: 200, length: 0.5 },
    ]);
    expect(progress.estimate()).toEqual({ fraction: 0, secondsLeft: undefined });
    const meter = progress.meter('a', 'sample', 'sampling');
    clock.seconds = 10;
    meter.advance(50, 500);
    // 50 left at 0.2 s, 100 scores at 0.3 of that, 200 halves.
    expect(progress.estimate().secondsLeft).toBeCloseTo(50 * 0.2 + 100 * 0.06 + 200 * 0.1, 9);
    expect(progress.estimate().fraction).toBeCloseTo(10 / 46, 9);
    expect(shown.at(-1)).toMatchObject({ title: 'sampling', done: 50, total: 100, tokensPerSecond: 50 });
  });

  test('gives each of two meters that take turns its own time', () => {
    const { progress, clock } = watched();
    progress.plan([
      { phase: 'a', kind: 'sample', count: 20 },
      { phase: 'a', kind: 'score', count: 20 },
    ]);
    const sampling = progress.meter('a', 'sample', 'sampling');
    const scoring = progress.meter('a', 'score', 'scoring');
    for (let turn = 0; turn < 2; turn++) {
      clock.seconds += 10;
      sampling.advance(5);
      clock.seconds += 1;
      scoring.advance(5);
    }
    expect(progress.estimate().secondsLeft).toBeCloseTo(22, 0);
  });

  test('counts work that was found done without taking it for speed', () => {
    const { progress, clock } = watched();
    progress.plan([{ phase: 'a', kind: 'sample', count: 100 }]);
    const meter = progress.meter('a', 'sample', 'sampling');
    clock.seconds = 1;
    meter.skip(90);
    clock.seconds = 3;
    meter.advance(5);
    expect(progress.estimate()).toEqual({ fraction: 0.95, secondsLeft: 2 });
  });

  test('never shows a smaller share than before, whatever is learned of the work to come', () => {
    const { progress, clock, shown } = watched();
    progress.plan([{ phase: 'a', kind: 'train', count: 10 }]);
    const meter = progress.meter('a', 'train', 'training');
    clock.seconds = 5;
    meter.advance(5);
    meter.expect(100);
    progress.plan([
      { phase: 'a', kind: 'train', count: 10 },
      { phase: 'b', kind: 'train', count: 90 },
    ]);
    progress.finish('a');
    const second = progress.meter('b', 'train', 'training');
    for (let step = 0; step < 90; step++) second.advance(1);
    const shares = shown.map(({ fraction }) => fraction);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect([Math.max(...shares.slice(0, 4)), shares.at(-1)]).toEqual([0.5, 1]);
  });

  test('follows corrections of the plan and finished phases', () => {
    const { progress, clock } = watched();
    progress.plan([
      { phase: 'a', kind: 'train', count: 1000 },
      { phase: 'b', kind: 'train', count: 10 },
    ]);
    const meter = progress.meter('a', 'train', 'training');
    meter.expect(10);
    clock.seconds = 5;
    meter.advance(5);
    expect(progress.estimate().secondsLeft).toBeCloseTo(15, 9);
    progress.finish('a');
    expect(progress.estimate()).toEqual({ fraction: 0.5, secondsLeft: 10 });
  });
});

describe('the display', () => {
  const moment: Moment = {
    title: 'sampling',
    done: 5,
    total: 10,
    fraction: 0.128,
    secondsLeft: 192,
    tokensPerSecond: 1234.6,
  };

  function written(options: { isTTY: boolean; columns?: number }, environment: NodeJS.ProcessEnv) {
    const texts: string[] = [];
    const clock = { seconds: 0 };
    const output = { ...options, write: (text: string) => texts.push(text) };
    return { texts, clock, display: openDisplay(output, environment, () => clock.seconds) };
  }

  test('is one live line on a terminal, cut to its width, dimmed unless NO_COLOR is set', () => {
    const { texts, clock, display } = written({ isTTY: true, columns: 30 }, {});
    display.show(moment);
    display.show({ ...moment, done: 6 });
    clock.seconds = 1;
    display.show({ ...moment, done: 7 });
    display.say('hello');
    const line = (done: number): string => `\x1b[2m12% · sampling · ${done}/10 · 1235 \x1b[22m`;
    expect(texts).toEqual([line(5), '\r\x1b[2K', line(7), '\r\x1b[2K', 'hello\n']);
    const plain = written({ isTTY: true }, { NO_COLOR: '1' });
    plain.display.show(moment);
    expect(plain.texts).toEqual(['12% · sampling · 5/10 · 1235 tokens/s · 3m 12s left']);
  });

  test.each([
    ['without a terminal', { isTTY: false }, {}],
    ['in CI', { isTTY: true }, { CI: 'true' }],
    ['on a dumb terminal', { isTTY: true }, { TERM: 'dumb' }],
  ])('is plain lines ten seconds apart %s', (_, output, environment) => {
    const { texts, clock, display } = written(output, environment);
    for (clock.seconds = 0; clock.seconds < 21; clock.seconds++) display.show(moment);
    expect(texts).toEqual(Array(3).fill('12% · sampling · 5/10 · 1235 tokens/s · 3m 12s left\n'));
  });

  test('ends with the note of the moment', () => {
    const { texts, display } = written({ isTTY: false }, {});
    display.show({ ...moment, note: '2 ranks: 1 GiB' });
    expect(texts).toEqual(['12% · sampling · 5/10 · 1235 tokens/s · 3m 12s left · 2 ranks: 1 GiB\n']);
  });

  test('names durations by their two largest units', () => {
    expect([0.4, 59.4, 192, 7300, 200_000].map(describeSeconds)).toEqual(['0s', '59s', '3m 12s', '2h 1m', '2d 7h']);
  });
});
