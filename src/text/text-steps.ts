// What a tokenizer.json does to text before the merges: normalisation, and splitting into words.
// Leaves added tokens to added-tokens.ts and the rest of the file to tokenizer-json-file.ts.
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

const prependStep = z.object({ type: z.literal('Prepend'), prepend: z.string() }).transform(
  ({ prepend }): Normalise =>
    (text) =>
      text === '' ? '' : prepend + text,
);

const replaceStep = z
  .object({ type: z.literal('Replace'), pattern: z.object({ String: z.string().min(1) }), content: z.string() })
  .transform(
    ({ pattern, content }): Normalise =>
      (text) =>
        // A function, because `$` has a meaning in a replacement text.
        text.replaceAll(pattern.String, () => content),
  );

/** Absent: the text stays as it is. */
export const normalizerSchema = z
  .discriminatedUnion(
    'type',
    [
      prependStep,
      replaceStep,
      z
        .object({
          type: z.literal('Sequence'),
          normalizers: z.array(z.discriminatedUnion('type', [prependStep, replaceStep], oneOf('Prepend or Replace'))),
        })
        .transform(
          ({ normalizers }): Normalise =>
            (text) =>
              normalizers.reduce((done, step) => step(done), text),
        ),
    ],
    oneOf('Prepend, Replace or Sequence'),
  )
  .nullish()
  .transform((step): Normalise => step ?? ((text) => text));

const expression = z.string().transform((text, context) => {
  try {
    return splitPattern(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});

const splitStep = z
  .object({
    type: z.literal('Split'),
    pattern: z.object({ Regex: expression }),
    behavior: z.literal('Isolated'),
    invert: z.literal(false),
  })
  .transform(({ type, pattern }): WordStep => ({ type, split: (text) => isolate(text, pattern.Regex) }));

const byteLevelStep = z
  .object({ type: z.literal('ByteLevel'), add_prefix_space: z.boolean(), use_regex: z.boolean().default(true) })
  .transform(({ type, add_prefix_space, use_regex }): WordStep => {
    const split = (text: string): string[] => {
      const spaced = add_prefix_space && !text.startsWith(' ') ? ` ${text}` : text;
      return (use_regex ? isolate(spaced, wordOfGpt2) : [spaced]).map(toByteCharacters);
    };
    return { type, split };
  });

const metaspaceStep = z
  .object({
    type: z.literal('Metaspace'),
    replacement: z.string().min(1),
    // "first" depends on what stands before the text, which encoding a text alone cannot know.
    prepend_scheme: z.literal(['always', 'never']),
    split: z.boolean().default(true),
  })
  .transform(({ type, replacement, prepend_scheme, split }): WordStep => {
    const respell = (text: string): string => {
      const marked = text.replaceAll(' ', () => replacement);
      return prepend_scheme === 'never' || marked.startsWith(replacement) ? marked : replacement + marked;
    };
    return { type, split: (text) => (split ? startingWith(respell(text), replacement) : [respell(text)]) };
  });

const steps = [splitStep, byteLevelStep, metaspaceStep] as const;

/** The steps in order; none: the text is one word. */
export const preTokenizerSchema = z
  .discriminatedUnion(
    'type',
    [
      ...steps,
      z
        .object({
          type: z.literal('Sequence'),
          pretokenizers: z.array(z.discriminatedUnion('type', steps, oneOf('Split, ByteLevel or Metaspace'))),
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

/** Cuts before every `mark`. */
function startingWith(text: string, mark: string): string[] {
  const parts = text.split(mark);
  const words = parts.map((part, index) => (index > 0 ? mark : '') + part);
  return words.filter((word) => word !== '');
}
