// What a second thread brings: the same calls with one thread and with two, in turn, by wall seconds. Other work on the machine lowers
// the ratio, so it is also given for those rounds alone in which others held less than a tenth of a core.
// `npm run bench -- threads [--rounds 7] [--only T|S] [--save]`.
import { option, start } from './lib/peers.mjs';
import { median, save } from './lib/results.mjs';

const rounds = Number(option('rounds', '7'));
const only = option('only');
const rollout = (prompts, fresh) => ({ prompts, tokens: 64, samples: 16, new: fresh });
const train = (prompts, tokens, samples, fresh) => ({ prompts, tokens, samples, new: fresh, train: true });
const plans = [
  { title: 'rollout, T, 8 prompts x 16 x 128', model: 'T', load: rollout(8, 128) },
  { title: 'SFT, T, 8 x 256', model: 'T', load: train(8, 1, 1, 255) },
  { title: 'SFT, T, 4 prompts of 192 x 2 responses of 64', model: 'T', load: train(4, 192, 2, 64) },
  { title: 'rollout, S, 4 prompts x 16 x 16', model: 'S', load: rollout(4, 16) },
  { title: 'SFT, S, 2 x 256', model: 'S', load: train(2, 1, 1, 255) },
];
const results = [];
for (const { title, model, load } of plans) {
  if (only && model !== only) continue;
  const workers = [];
  for (const threads of [1, 2]) workers.push((await start('mstar', model, threads, load)).worker);
  for (const worker of workers) await worker.ask(load);
  const pairs = [];
  for (let round = 0; round < rounds; round++) {
    const [one, two] = [await workers[0].ask(load), await workers[1].ask(load)];
    pairs.push({ ratio: one.wall / two.wall, one: one.wall, two: two.wall, others: Math.max(one.others, two.others) });
  }
  for (const worker of workers) worker.close();
  const quiet = pairs.filter(({ others }) => others < 0.1);
  const of = (some) => (some.length === 0 ? null : median(some.map(({ ratio }) => ratio)));
  const least = (name) => Math.min(...pairs.map((pair) => pair[name]));
  const result = {
    title,
    load,
    all: of(pairs),
    quiet: of(quiet),
    quietRounds: quiet.length,
    best: least('one') / least('two'),
  };
  results.push({ ...result, pairs });
  const shown = (value) => (value === null ? '-' : `${value.toFixed(2)}x`);
  console.log(
    `${title.padEnd(46)} median ${shown(result.all)}  of ${quiet.length}/${rounds} quiet rounds ${shown(result.quiet)}  least seconds of each ${shown(result.best)}`,
  );
}
save('threads', { results });
