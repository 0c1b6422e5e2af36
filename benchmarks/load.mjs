// How fast a real-size checkpoint loads, how much memory that takes at its peak, and that it answers:
// `npm run bench -- load --model DIR [--dtype bfloat16] [--save]`. A process per trial, the first with a cold page cache where
// this machine lets it be dropped. Random weights of true dimensions come from `npm run make-random`.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { loadModel } from '../dist/index.js';
import { median, save } from './lib/results.mjs';

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? otherwise : process.argv[at + 1];
};
const model = option('model');
const dtype = option('dtype', 'bfloat16');
const TRIALS = 3;

function peakBytes() {
  return 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
}

async function trial() {
  const before = peakBytes();
  const started = performance.now();
  const opened = await loadModel(model, { dtype });
  const seconds = (performance.now() - started) / 1000;
  const loaded = peakBytes();
  const picture = await sharp({ create: { width: 224, height: 224, channels: 3, background: '#888' } })
    .png()
    .toBuffer();
  const asked = performance.now();
  const [answer] = await opened.generate({ question: '1 + 1 = ?', images: [picture], maxTokens: 8 });
  const generateSeconds = (performance.now() - asked) / 1000;
  await opened.dispose();
  console.log(
    JSON.stringify({
      seconds,
      startBytes: before,
      peakBytes: loaded,
      generateSeconds,
      generatePeakBytes: peakBytes(),
      tokens: answer.tokens.length,
    }),
  );
}

function dropCache() {
  try {
    writeFileSync('/proc/sys/vm/drop_caches', '1');
    return true;
  } catch {
    return false;
  }
}

if (!model) throw new Error('--model: missing, wanted a model folder');
if (process.argv.includes('--trial')) {
  await trial();
} else {
  const weights = readdirSync(model).filter((name) => name.endsWith('.safetensors'));
  const fileBytes = weights.reduce((sum, name) => sum + statSync(path.join(model, name)).size, 0);
  const cold = dropCache();
  const trials = Array.from({ length: TRIALS }, () => {
    const args = [fileURLToPath(import.meta.url), '--trial', '--model', model, '--dtype', dtype];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout.trim().split('\n').at(-1));
  });
  save('load', {
    model: path.basename(model),
    dtype,
    fileBytes,
    firstIsCold: cold,
    trials,
    medianSeconds: median(trials.map(({ seconds }) => seconds)),
    peakOverFile: Math.max(...trials.map(({ peakBytes: peak }) => peak)) / fileBytes,
  });
}
