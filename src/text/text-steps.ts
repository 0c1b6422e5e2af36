// What a tokenizer.json does to text before the merges: normalisation, and splitting into words.
import { z } from 'zod';
import { toByteCharacters } from './byte-alphabet.js';
import type { Matcher } from './matcher.js';
import { splitPattern } from './split-pattern.js';

export type Normalise = (text: string) => string;
/** Cuts a text, or what an earlier step left of it, and may respell it. */
export interface WordStep {
  readonly type: 'Split' | 'ByteLevel' | 'Metaspace';
  readonly split: (text: string) => string[];
}

const wordOfGpt2 = splitPattern("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+");

/** Error of a union by `type`: which types there are. */
export const oneOf = (wanted: string) => ({
  error: (issue: { code?: string }) => (issue.code === 'invalid_union' ? wanted : undefined),
});

/** Steps: far more than published files have; they bound the time for a text. Growth: steps that each double a text would fill any memory. */
const MOST = { steps: 32, growth: 64 };
const short = z.string().max(1024);

/** `growth`: how much longer a step may make a text, as a factor. */
const normaliseSteps = [
  // A few characters have no composed form and become three.
  z.object({ type: z.literal('NFC') }).transform(() => ({ apply: (text: string) => text.normalize('NFC'), growth: 3 })),
  z.object({ type: z.literal('Prepend'), prepend: short }).transform(({ prepend }) => ({
    apply: (text: string) => (text === '' ? '' : prepend + text),
    growth: 1,
  })),
  z
    .object({ type: z.literal('Replace'), pattern: z.object({ String: short.min(1) }), content: short })
    .transform(({ pattern, content }) => ({
      // A function, because `$` has a meaning in a replacement text.
      apply: (text: string) => text.replaceAll(pattern.String, () => content),
      growth: Math.max(1, content.length / pattern.String.length),
    })),
] as const;
const normaliseSequence = z
  .object({
    type: z.literal('Sequence'),
    normalizers: z
      .array(z.discriminatedUnion('type', normaliseSteps, oneOf('NFC, Prepend or Replace')))
      .max(MOST.steps),
  })
  .transform(({ normalizers }) => ({
    apply: (text: string) => normalizers.reduce((done, { apply }) => apply(done), text),
    growth: normalizers.reduce((product, { growth }) => product * growth, 1),
  }));

/** Absent: the text stays as it is. */
export const normalizerSchema = z
  .discriminatedUnion('type', [...normaliseSteps, normaliseSequence], oneOf('NFC, Prepend, Replace or Sequence'))
  .nullish()
  .refine((step) => (step?.growth ?? 1) <= MOST.growth, `steps that make a text at most ${MOST.growth} times as long`)
  .transform((step): Normalise => step?.apply ?? ((text) => text));

const wordSteps = [
  z
    .object({
      type: z.literal('Split'),
      pattern: z.object({
        Regex: z.string().transform((text, context) => {
          try {
            return splitPattern(text);
          } catch (error) {
            context.addIssue({ code: 'custom', message: (error as Error).message });
            return z.NEVER;
          }
        }),
      }),
      behavior: z.literal('Isolated'),
      invert: z.literal(false),
    })
    .transform(({ type, pattern }): WordStep => ({ type, split: (text) => isolate(text, pattern.Regex) })),
  z
    .object({ type: z.literal('ByteLevel'), add_prefix_space: z.boolean(), use_regex: z.boolean().default(true) })
    .transform(({ type, add_prefix_space, use_regex }): WordStep => {
      const split = (text: string): string[] => {
        const spaced = add_prefix_space && !text.startsWith(' ') ? ` ${text}` : text;
        return (use_regex ? isolate(spaced, wordOfGpt2) : [spaced]).map(toByteCharacters);
      };
      return { type, split };
    }),
  z
    .object({
      type: z.literal('Metaspace'),
      replacement: z.string().min(1).max(MOST.growth),
      // "first" depends on what stands before the text, which encoding a text alone cannot know.
      prepend_scheme: z.literal(['always', 'never']),
      split: z.boolean().default(true),
    })
    .transform(({ type, replacement: mark, prepend_scheme, split }): WordStep => {
      const respell = (text: string): string => {
        const marked = text.replaceAll(' ', () => mark);
        return prepend_scheme === 'never' || marked.startsWith(mark) ? marked : mark + marked;
      };
      // Cuts before every mark.
      const cut = (text: string): string[] =>
        text.split(mark).flatMap((part, index) => (index > 0 ? mark + part : part || []));
      return { type, split: (text) => (split ? cut(respell(text)) : [respell(text)]) };
    }),
] as const;

/** The steps in order; none: the text is one word. */
export const preTokenizerSchema = z
  .discriminatedUnion(
    'type',
    [
      ...wordSteps,
      z
        .object({
          type: z.literal('Sequence'),
          pretokenizers: z
            .array(z.discriminatedUnion('type', wordSteps, oneOf('Split, ByteLevel or Metaspace')))
            .max(MOST.steps),
        })
        .transform(({ pretokenizers }): readonly WordStep[] => pretokenizers),
    ],
    oneOf('Split, ByteLevel, Metaspace or Sequence'),
  )
  .nullish()
  .transform((step): readonly WordStep[] => (step ? [step].flat() : []));

/** The matches of `pattern` and what lies between them. */
function isolate(text: string, pattern: Matcher): string[] {
  const words: string[] = [];
  let last = 0;
  for (const [start, end] of pattern.matches(text)) {
    if (start > last) words.push(text.slice(last, start));
    if (end > start) words.push(text.slice(start, end));
    last = end;
  }
  if (last < text.length) words.push(text.slice(last));
  return words;
}
