// Stand-ins for the benchmarks of the paper's Tables 4 and 5: picture problems in the very files of each, so that a test can go
// the whole way from such a file to a table.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { makeFolder } from '../../src/core/files.js';
import { letterAt, placeOf, ROTATION } from '../../src/core/letters.js';
import { problemAt, type WriteOptions } from '../../src/problems/write.js';

interface Asked {
  readonly index: number;
  readonly text: string;
  readonly choices: readonly string[];
  /** A letter. */
  readonly answer: string;
  readonly png: Buffer;
}

interface StandIn {
  readonly file: string;
  /** Lines of the file; pictures that lie beside it are written into `dir`. */
  lines(asked: readonly Asked[], dir: string): Promise<readonly string[]>;
}

const turn = <T>(values: readonly T[], { index }: Asked): T => values[index % values.length] as T;
const json = (value: unknown): string => JSON.stringify(value);
const base64 = ({ png }: Asked): string => png.toString('base64');

const TASKS = [
  'figure question answering',
  'geometry problem solving',
  'math word problem',
  'textbook question answering',
  'visual question answering',
];

/** By the name of the benchmark. */
const standIns: Readonly<Record<string, StandIn>> = {
  mathvista: {
    file: 'mathvista.jsonl',
    async lines(asked, dir) {
      await makeFolder(join(dir, 'images'));
      return Promise.all(
        asked.map(async (one) => {
          const image = `images/${one.index}.png`;
          await writeFile(join(dir, image), one.png);
          const metadata = {
            task: turn(TASKS, one),
            category: 'math-targeted-vqa',
            source: 'stand-in',
            split: 'testmini',
          };
          const answer = one.choices[placeOf(one.answer)];
          const types = { question_type: 'multi_choice', answer_type: 'text', precision: null, unit: null };
          return json({
            pid: String(one.index),
            question: one.text,
            image,
            choices: one.choices,
            ...types,
            answer,
            metadata,
          });
        }),
      );
    },
  },
  m3cot: {
    file: 'm3cot.jsonl',
    lines: async (asked) =>
      asked.map((one) => {
        const about = {
          domain: turn(['science', 'commonsense', 'mathematics'], one),
          topic: 'reading',
          category: 'stand-in',
        };
        const { text: question, choices, answer } = one;
        const rest = { context: '', rationale: '', image_id: String(one.index), image: base64(one), split: 'test' };
        return json({ id: `m3-${one.index}`, question, choices, answer, ...rest, ...about });
      }),
  },
  'mmstar-r': {
    file: 'mmstar.tsv',
    lines: async (asked) => [
      'index\tquestion\tanswer\tcategory\tl2_category\tbench\timage',
      ...asked.map((one) => {
        const options = one.choices.map((choice, i) => `${letterAt(i)}: ${choice}`).join(', ');
        const category = turn(['instance reasoning', 'logical reasoning', 'math', 'science & technology'], one);
        return [
          one.index,
          `${one.text} Options: ${options}`,
          one.answer,
          category,
          'reading',
          'stand-in',
          base64(one),
        ].join('\t');
      }),
    ],
  },
  'mmbench-r': {
    file: 'mmbench.tsv',
    // Each question in two rotations of its options; the second has its picture by the index of the first.
    lines: async (asked) => [
      'index\tquestion\thint\tA\tB\tC\tD\tanswer\tcategory\tl2-category\tsource\tsplit\timage',
      ...asked.flatMap((one) => {
        const ability = turn(['logic_reasoning', 'attribute_reasoning', 'relation_reasoning'], one);
        return [0, 1].map((rotation) => {
          const { length } = one.choices;
          const options = one.choices.map((_, i) => one.choices[(i + rotation) % length] as string);
          const answer = letterAt((placeOf(one.answer) - rotation + length) % length);
          const cells = [...options, ...Array.from({ length: 4 - length }, () => '')];
          const head = [one.index + 1 + rotation * ROTATION, one.text, '', ...cells, answer];
          return [...head, 'reading', ability, 'stand-in', 'dev', rotation === 0 ? base64(one) : one.index + 1].join(
            '\t',
          );
        });
      }),
    ],
  },
  ai2d: {
    file: 'ai2d.tsv',
    lines: async (asked) => [
      'index\tquestion\tA\tB\tC\tD\tanswer\timage',
      ...asked.map((one) => {
        const cells = Array.from({ length: 4 }, (_, i) => one.choices[i] ?? '');
        return [one.index, one.text, ...cells, one.answer, base64(one)].join('\t');
      }),
    ],
  },
};

/**
 * Writes a file for each benchmark into `dir`, all of different problems; the same options give the same bytes.
 * @param options count: problems of each benchmark
 * @returns the data of each, by name
 */
export async function writeStandIns(
  dir: string,
  options: Pick<WriteOptions, 'count' | 'seed' | 'families' | 'range'>,
): Promise<{ readonly name: string; readonly data: string; readonly imageRoot: string }[]> {
  const written = [];
  for (const [place, [name, { file, lines }]] of Object.entries(standIns).entries()) {
    const folder = join(dir, name);
    await makeFolder(folder);
    const asked: Asked[] = [];
    for (let index = 0; index < options.count; index++) {
      const { problem } = problemAt({ ...options, choiceShare: 1 }, place * options.count + index);
      const { rgb, width, height, choices, answer } = problem;
      const png = await sharp(rgb, { raw: { width, height, channels: 3 } })
        .png()
        .toBuffer();
      asked.push({ index, text: problem.question.split('\nChoices:')[0] as string, choices, answer, png });
    }
    await writeFile(join(folder, file), `${(await lines(asked, folder)).join('\n')}\n`);
    written.push({ name, data: join(folder, file), imageRoot: folder });
  }
  return written;
}
