// Counts of a data set, made in one pass: sources, types, answers, lengths, pictures, what is odd about it. Holds no
// problem but the few that are drawn for the picture sheet.
import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { UserError } from '../../core/errors.js';
import { readRegularFile } from '../../core/files.js';
import { random } from '../../core/random.js';
import type { ImageSource, Problem } from '../../core/types.js';
import { Forms, openProblems, type ReadOptions } from '../../data/problems.js';
import { decodePicture } from '../../images/decode.js';

/** How values are spread: one count for each bin. */
export interface Histogram {
  /** Upper borders of the bins, the last one open. */
  readonly borders: readonly number[];
  readonly counts: readonly number[];
  readonly median: number;
  readonly most: number;
}

/** What a data set holds, counted in problems. */
export interface Census {
  readonly file: string;
  /** Name of the format that it was read as. */
  readonly format: string;
  readonly problems: number;
  /** Questions that begin with a hint line. */
  readonly hinted: number;
  readonly sources: Readonly<Record<string, number>>;
  readonly questionTypes: Readonly<Record<string, number>>;
  readonly answerTypes: Readonly<Record<string, number>>;
  /** Multiple-choice problems by their number of choices, and by their right letter. */
  readonly choices: Readonly<Record<string, number>>;
  readonly letters: Readonly<Record<string, number>>;
  /** The data set's own words, by tag and value. */
  readonly tags: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly characters: Histogram;
  /** Tokens of the question text, where a tokenizer was given. */
  readonly tokens?: Histogram;
  readonly pictures: {
    readonly perProblem: Readonly<Record<string, number>>;
    /** Different ones that could be read. */
    readonly distinct: number;
    readonly formats: Readonly<Record<string, number>>;
    readonly width: Histogram;
    readonly height: Histogram;
    /** Paths that hold no file, and pictures that cannot be read; the first few of each by name. */
    readonly missing: number;
    readonly unreadable: number;
    readonly examples: readonly string[];
  };
  /** Problems with picture and question of an earlier one, by whether the answer is the same. */
  readonly repeats: { readonly same: number; readonly conflicting: number };
  /** What there is to say of the problems as a whole: those without a picture, hint lines. */
  readonly notes: readonly string[];
  /** Repeated ids, conflicting answers, answers that are not among the choices. */
  readonly warnings: { readonly count: number; readonly examples: readonly string[] };
  readonly seconds: number;
}

export interface CensusOptions extends Omit<ReadOptions, 'onWarning' | 'onRepeat' | 'onFormat' | 'onMissingPicture'> {
  /** Read the headers of pictures only: faster, and a picture that is cut off passes. */
  readonly headersOnly?: boolean;
  /** Tokens of a question, for the second histogram. */
  readonly countTokens?: (question: string) => number;
  /** Problems on the picture sheet. */
  readonly sheet?: number;
  /** Told how many problems were read, every thousand. */
  readonly onProgress?: (problems: number) => void;
}

const MOST_EXAMPLES = 12;

/** Reads the whole file once; `sample` are problems drawn for the sheet, the same for the same file. Throws UserError. */
export async function takeCensus(file: string, options: CensusOptions): Promise<{ census: Census; sample: Problem[] }> {
  const { countTokens, sheet = 24, headersOnly = false, onProgress, ...reading } = options;
  const started = performance.now();
  const tally = new Tally();
  const forms = new Forms();
  const pictures = new Pictures(headersOnly);
  const warnings: string[] = [];
  const repeats = { same: 0, conflicting: 0 };
  let warned = 0;
  const sample: Problem[] = [];
  const { uniform } = random(0, 'dataset sheet');
  const read = openProblems(file, {
    ...reading,
    onFormat: forms.onFormat,
    onWarning: (text) => {
      if (++warned <= MOST_EXAMPLES) warnings.push(text);
    },
    onRepeat: (same) => {
      repeats[same ? 'same' : 'conflicting']++;
    },
    onMissingPicture: (path, why) => pictures.miss(path, why),
  });
  for await (const problem of read) {
    forms.add(problem);
    const seen = tally.add(problem, countTokens);
    await pictures.add(problem.images);
    // Every problem is as likely to be on the sheet as any other.
    const place = seen <= sheet ? seen - 1 : Math.floor(uniform(seen) * seen);
    if (place < sheet) sample[place] = problem;
    if (seen % 1000 === 0) onProgress?.(seen);
  }
  const census = {
    file,
    format: forms.format,
    hinted: forms.hinted,
    ...tally.result(countTokens !== undefined),
    pictures: await pictures.result(),
    repeats,
    notes: forms.lines(),
    warnings: { count: warned, examples: warnings },
    seconds: (performance.now() - started) / 1000,
  };
  return { census, sample };
}

/** How often each name came. */
class Counts extends Map<string, number> {
  add(name: string): void {
    this.set(name, (this.get(name) ?? 0) + 1);
  }

  /** Largest first, names in order among equals. */
  bySize(): Record<string, number> {
    return Object.fromEntries([...this].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)));
  }

  byName(): Record<string, number> {
    return Object.fromEntries([...this].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })));
  }
}

class Tally {
  readonly #sources = new Counts();
  readonly #questionTypes = new Counts();
  readonly #answerTypes = new Counts();
  readonly #choices = new Counts();
  readonly #letters = new Counts();
  readonly #tags = new Map<string, Counts>();
  readonly #characters: number[] = [];
  readonly #tokens: number[] = [];

  /** Returns how many there are now. */
  add(problem: Problem, countTokens?: (text: string) => number): number {
    const { source, questionType, answerType, precision, choices, answer, tags = {}, question } = problem;
    const mostValues = 40;
    this.#sources.add(source || '(none)');
    this.#questionTypes.add(questionType);
    this.#answerTypes.add(
      answerType === 'float' && precision !== undefined ? `float, ${precision} decimals` : answerType,
    );
    if (questionType === 'multi_choice') {
      this.#choices.add(String(choices.length));
      this.#letters.add(answer || '(hidden)');
    }
    for (const [tag, value] of Object.entries(tags)) {
      const values = this.#tags.get(tag) ?? new Counts();
      this.#tags.set(tag, values);
      values.add(values.has(value) || values.size < mostValues ? value : '(others)');
    }
    if (countTokens) this.#tokens.push(countTokens(question));
    return this.#characters.push(question.length);
  }

  result(withTokens: boolean) {
    return {
      problems: this.#characters.length,
      sources: this.#sources.bySize(),
      questionTypes: this.#questionTypes.bySize(),
      answerTypes: this.#answerTypes.bySize(),
      choices: this.#choices.byName(),
      letters: this.#letters.byName(),
      tags: Object.fromEntries([...this.#tags].map(([tag, values]) => [tag, values.bySize()])),
      characters: histogram(this.#characters),
      ...(withTokens && { tokens: histogram(this.#tokens) }),
    };
  }
}

/** Pictures, each once: those in files by their path, those in memory by their contents. */
class Pictures {
  readonly #perProblem = new Counts();
  readonly #formats = new Counts();
  readonly #seen = new Set<string>();
  readonly #widths: number[] = [];
  readonly #heights: number[] = [];
  readonly #examples: string[] = [];
  readonly #headersOnly: boolean;
  #missing = 0;
  #unreadable = 0;
  #reading: Promise<void>[] = [];

  constructor(headersOnly: boolean) {
    this.#headersOnly = headersOnly;
  }

  async add(images: readonly ImageSource[]): Promise<void> {
    this.#perProblem.add(String(images.length));
    for (const image of images) {
      const key = 'path' in image ? image.path : createHash('sha256').update(image.bytes).digest('hex');
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      this.#reading.push(this.#look(image));
      if (this.#reading.length === 8) await this.#drain();
    }
  }

  miss(path: string, why: string): void {
    this.#missing++;
    this.#note(`${path}: ${why}`);
  }

  async result(): Promise<Census['pictures']> {
    await this.#drain();
    return {
      perProblem: this.#perProblem.byName(),
      distinct: this.#widths.length,
      formats: this.#formats.bySize(),
      width: histogram(this.#widths),
      height: histogram(this.#heights),
      missing: this.#missing,
      unreadable: this.#unreadable,
      examples: this.#examples,
    };
  }

  async #drain(): Promise<void> {
    const reading = this.#reading;
    this.#reading = [];
    await Promise.all(reading);
  }

  async #look(image: ImageSource): Promise<void> {
    const name = 'path' in image ? image.path : image.name;
    try {
      const bytes = 'path' in image ? await readRegularFile(image.path, 64 * 2 ** 20) : image.bytes;
      // Only decoding the whole picture finds one that is cut off.
      if (!this.#headersOnly) await decodePicture(bytes, name, 50_000_000);
      const { width, height, format } = await sharp(bytes, { limitInputPixels: false }).metadata();
      this.#widths.push(width);
      this.#heights.push(height);
      this.#formats.add(format);
    } catch (error) {
      this.#unreadable++;
      const [reason] = (error as Error).message.split('\n');
      this.#note(error instanceof UserError ? String(reason) : `${name}: ${reason}`);
    }
  }

  #note(text: string): void {
    if (this.#examples.length < MOST_EXAMPLES) this.#examples.push(text);
  }
}

/** Up to about a dozen bins of a round width; the last one holds the longest twentieth. */
function histogram(values: readonly number[]): Histogram {
  const ordered = Float64Array.from(values).sort();
  const at = (share: number): number => ordered[Math.min(ordered.length - 1, Math.floor(share * ordered.length))] ?? 0;
  const least = Math.max(1, at(0.95) / 12);
  const power = 10 ** Math.floor(Math.log10(least));
  const width = power * ([1, 2, 5].find((lead) => least <= lead * power) ?? 10);
  const bins = Math.max(1, Math.ceil((at(0.95) + 1) / width));
  const counts = new Array<number>(bins + 1).fill(0);
  for (const value of ordered) counts[Math.min(bins, Math.floor(value / width))]!++;
  if (counts.at(-1) === 0) counts.pop();
  return { borders: counts.map((_, i) => (i + 1) * width), counts, median: at(0.5), most: at(1) };
}
