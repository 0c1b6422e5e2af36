// Shows progress: one live line on a terminal, plain lines at intervals elsewhere, nothing when asked for nothing.
import { printable } from '../core/printable.js';

/** One moment of a job. */
export interface Moment {
  readonly title: string;
  readonly done: number;
  readonly total: number;
  /** Share of the whole job, 0..1. */
  readonly fraction: number;
  readonly secondsLeft: number | undefined;
  readonly tokensPerSecond: number | undefined;
  /** What else there is to tell, at the end of the line. */
  readonly note?: string | undefined;
}

/** Where a job shows how far it is. */
export interface Display {
  /** The present moment, in place of the one before. */
  show(moment: Moment): void;
  /** A line that stays. */
  say(text: string): void;
  /** Ends the live line. */
  close(): void;
  /** What the ranks of the job do, where there are several. */
  readonly ranks?:
    | {
        /** In a few words. */
        note(): string | undefined;
        /** A line for each. */
        lines(): string[];
      }
    | undefined;
}

/** The part of a stream that is used; process.stderr is one. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export const silent: Display = { show() {}, say() {}, close() {} };

const INTERVAL_S = { live: 0.1, plain: 10 };

/** A live line where the output is a terminal outside CI, plain lines elsewhere; NO_COLOR switches the dimming off. */
export function openDisplay(
  output: Output,
  environment: NodeJS.ProcessEnv = process.env,
  clock: () => number = () => performance.now() / 1000,
): Display {
  const isLive = output.isTTY === true && !environment.CI && environment.TERM !== 'dumb';
  let shownAt = Number.NEGATIVE_INFINITY;
  /** A live line is there. */
  let isOpen = false;
  const clear = (): void => {
    if (isOpen) output.write('\r\x1b[2K');
    isOpen = false;
  };
  return {
    show(moment) {
      const now = clock();
      const isDue = now - shownAt >= (isLive ? INTERVAL_S.live : INTERVAL_S.plain);
      if (!isDue && !(isLive && moment.done >= moment.total)) return;
      shownAt = now;
      clear();
      isOpen = isLive;
      const text = describe(moment);
      const line = isLive ? text.slice(0, Math.max(20, (output.columns ?? 80) - 1)) : `${text}\n`;
      output.write(isLive && !environment.NO_COLOR ? `\x1b[2m${line}\x1b[22m` : line);
    },
    say(text) {
      clear();
      output.write(`${printable(text)}\n`);
    },
    close: clear,
  };
}

function describe({ title, done, total, fraction, secondsLeft, tokensPerSecond, note }: Moment): string {
  const parts = [`${Math.floor(fraction * 100)}%`, title, `${done}/${total}`];
  if (tokensPerSecond !== undefined) parts.push(`${Math.round(tokensPerSecond)} tokens/s`);
  if (secondsLeft !== undefined) parts.push(`${describeSeconds(secondsLeft)} left`);
  if (note !== undefined) parts.push(note);
  return printable(parts.join(' · '));
}

/** A duration in its two largest units, for example `3m 12s`. */
export function describeSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  const [days, hours, minutes] = [
    Math.floor(whole / 86400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days > 0) return `${days}d ${hours}h`;
  if (hours > 0) return `${hours}h ${minutes}m`;
  return minutes > 0 ? `${minutes}m ${whole % 60}s` : `${whole}s`;
}
