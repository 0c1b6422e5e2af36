// Reading a MathV360K file of the real size: 360,000 records of generated texts over a thousand picture paths. Seconds to the first
// problem and to the last, and the most memory, streamed and held. `npm run bench -- read [--save]`.
import { spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadProblems, openProblems } from '../dist/library/data.js';
import { median, save } from './lib/results.mjs';

const RECORDS = 360_000;
const PICTURES = 1000;
const SOURCES = ['TabMWP', 'ChartQA', 'PlotQA', 'GEOS', 'IconQA', 'VQA-AS', 'A-OKVQA', 'TQA'];

async function make(dir) {
  for (const source of SOURCES) mkdirSync(path.join(dir, source, 'images'), { recursive: true });
  for (let i = 0; i < PICTURES; i++)
    writeFileSync(path.join(dir, SOURCES[i % SOURCES.length], 'images', `${i}.png`), 'x');
  const file = path.join(dir, 'train_samples_all_tuning.json');
  const out = createWriteStream(file);
  for (let i = 0; i < RECORDS; i++) {
    const picture = (i * 7919) % PICTURES;
    const choices = i % 2 === 0 ? `\nChoices:\n(A) ${i}\n(B) ${i + 1}\n(C) ${i + 2}\n(D) none of these` : '';
    const hint =
      'Hint: Please answer the question and provide the correct option letter, e.g., A, B, C, D, at the end.';
    const value = `<image>\n${hint}\nQuestion: In picture ${picture}, what follows from row ${i} when the numbers of the table are taken together?${choices}`;
    const answer = i % 2 === 0 ? 'B' : String(i % 97);
    const record = {
      image: `${SOURCES[picture % SOURCES.length]}/images/${picture}.png`,
      conversations: [
        { from: 'human', value },
        { from: 'gpt', value: `The answer is ${answer}` },
      ],
    };
    const more = out.write(`${i === 0 ? '[' : ',\n'}${JSON.stringify(record)}`);
    if (!more) await new Promise((resume) => out.once('drain', resume));
  }
  await new Promise((resume) => out.end(']\n', resume));
  return file;
}

const peakBytes = () => 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);

async function trial(how, file) {
  const started = performance.now();
  const options = { imageRoot: path.dirname(file) };
  let first = 0;
  let count = 0;
  if (how === 'held') count = (await loadProblems(file, options)).length;
  else
    for await (const _ of openProblems(file, options)) {
      if (count++ === 0) first = (performance.now() - started) / 1000;
    }
  console.log(
    JSON.stringify({
      count,
      firstSeconds: first,
      seconds: (performance.now() - started) / 1000,
      peakBytes: peakBytes(),
    }),
  );
}

if (process.argv.includes('--trial')) {
  const at = process.argv.indexOf('--trial');
  await trial(process.argv[at + 1], process.argv[at + 2]);
} else {
  const dir = mkdtempSync(path.join(tmpdir(), 'mstar-read-'));
  try {
    const file = await make(dir);
    const run = (how) => {
      const { stdout, stderr, status } = spawnSync(
        process.execPath,
        [fileURLToPath(import.meta.url), '--trial', how, file],
        { encoding: 'utf8' },
      );
      if (status !== 0) throw new Error(stderr);
      return JSON.parse(stdout);
    };
    const result = {};
    for (const how of ['streamed', 'held']) {
      const trials = [run(how), run(how), run(how)];
      result[how] = {
        records: trials[0].count,
        firstSeconds: median(trials.map(({ firstSeconds }) => firstSeconds)),
        seconds: median(trials.map(({ seconds }) => seconds)),
        peakMiB: Math.round(median(trials.map((one) => one.peakBytes)) / 2 ** 20),
      };
    }
    save('read', { fileMiB: Math.round(statSync(file).size / 2 ** 20), ...result });
  } finally {
    rmSync(dir, { recursive: true });
  }
}
