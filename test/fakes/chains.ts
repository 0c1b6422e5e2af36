// Chains of thought for generated problems without a model: the true one, or one with a wrong step. One character is
// one token; token 0 ends a response.
import type { Problem, Response } from '../../src/core/types.js';

export const STOP = 0;

/** Lines of the true reasoning; the last one states the answer. */
export function truthOf(problem: Problem): readonly string[] {
  if (!problem.truth) throw new Error(`problem ${problem.id} has no truth, wanted a generated one`);
  return problem.truth.steps;
}

/** Whether the lines of `text` so far are the true ones, in whatever style. */
export function isSound(problem: Problem, text: string): boolean {
  const lines = text.toLowerCase().split('\n');
  const truth = truthOf(problem).map((line) => line.toLowerCase());
  const last = lines.pop() as string;
  return lines.every((line, i) => line === truth[i]) && (truth[lines.length] ?? '').startsWith(last);
}

export interface Chain {
  /** Line with a wrong value; undefined for the true chain. */
  readonly wrongAt: number | undefined;
  /** A wrong chain that ends with the right answer all the same. */
  readonly lucky: boolean;
  /** Bit i: line i is in capitals. Other styles are other texts of the same chain. */
  readonly style: number;
}

/** The rest of a response after `prefix`. */
export function continuation(problem: Problem, prefix: string, { wrongAt, lucky, style }: Chain): string {
  const done = prefix === '' ? 0 : prefix.split('\n').length - 1;
  const lines = truthOf(problem).map((line, i, all) => {
    if (i === all.length - 1) return lucky || wrongAt === undefined ? line : line.replace(/\w+(?=\.?$)/, spoil);
    const written = i === wrongAt ? line.replace(/\w+(?=\.$)/, spoil) : line;
    return (style >> i) & 1 ? written.toUpperCase() : written;
  });
  return lines.slice(done).join('\n');
}

export function encode(text: string): Int32Array {
  return Int32Array.from([...Array(text.length).keys()].map((i) => text.charCodeAt(i)).concat(STOP));
}

export function decode(tokens: Int32Array): string {
  return String.fromCharCode(...tokens.filter((token) => token !== STOP));
}

/** A sampled response of this text, cut at `maxTokens`. */
export function respond(text: string, maxTokens: number, probability: number): Response {
  const tokens = encode(text).slice(0, maxTokens);
  const finish = tokens.at(-1) === STOP ? 'stop' : 'length';
  const kept = text.slice(0, tokens.length);
  const ends = Uint32Array.from(tokens, (_, i) => Math.min(i + 1, kept.length));
  return { tokens, logprobs: new Float32Array(tokens.length).fill(Math.log(probability)), text: kept, ends, finish };
}

/** Another value of the same kind. */
function spoil(value: string): string {
  if (/^\d+$/.test(value)) return String(Number(value) + 1);
  if (/^[A-Z]$/.test(value)) return value === 'A' ? 'B' : 'A';
  return `${value}x`;
}
