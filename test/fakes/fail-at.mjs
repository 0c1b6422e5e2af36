// Makes one rank of a job fail in the midst of its work: a test has every process of the job load it first
// (NODE_OPTIONS=--import). It wraps the addon that the process loads, so that nothing in the program knows of it.
// MSTAR_TEST_FAIL: {what: kill | stop | hang | throw | full, rank, place: rollout | trainStep | save | watch, marker}; the marker is a file
// that tells when rank 0 was at the place, and, behind it with `.done`, when the rank failed. At `watch` the rank joins the others
// late and fails before its second beat. With {what: alter, rank, place: logprobs} the rank computes something else instead.
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import Module from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';

const { what, rank, place, marker } = JSON.parse(process.env.MSTAR_TEST_FAIL);
const own = Number(process.env.RANK ?? -1);
let group;
let calls = 0;
let isDone = false;

/** Fails, once; `busy` where the rank is in a call of its engine. */
function fail(busy) {
  if (isDone) return;
  isDone = true;
  writeFileSync(`${marker}.done`, String(Date.now()));
  if (what === 'kill') process.kill(process.pid, 'SIGKILL');
  if (what === 'stop') process.kill(process.pid, 'SIGSTOP');
  // The engine's thread waits for what never comes, as in a kernel that never ends.
  if (what === 'hang') group.get('never').catch(() => {});
  // Its files cannot grow any more, as where a disk is full.
  if (what === 'full') execFileSync('prlimit', ['--fsize=4096', '--pid', String(process.pid)]);
  if (what !== 'throw') return;
  const error = new Error('a fault that the test made');
  if (busy) throw error;
  setImmediate(() => {
    throw error;
  });
}

function wrapModel(model) {
  if (place === 'watch') return model;
  const call = model[place].bind(model);
  const wrapped = async (...args) => {
    if (what === 'alter') {
      const result = await call(...args);
      if (own === rank) result[0][0] += 1e-6;
      return result;
    }
    // The second call: by then every rank has worked.
    const isTime = ++calls === (place === 'save' ? 1 : 2);
    if (isTime && own === rank) fail(true);
    if (isTime && own === 0) {
      writeFileSync(marker, String(Date.now()));
      if (rank !== 0 && place !== 'rollout') await pause(200);
    }
    return call(...args);
  };
  // Methods of the addon are read-only.
  Object.defineProperty(model, place, { value: wrapped });
  return model;
}

function failAfterWatch() {
  const watch = group.watch.bind(group);
  const late = (limits) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    watch(limits);
    setTimeout(() => fail(false), 500);
  };
  Object.defineProperty(group, 'watch', { value: late });
}

function wrapAddon(addon) {
  const { loadModel, joinGroup } = addon;
  return {
    ...addon,
    loadModel: async (spec) => wrapModel(await loadModel(spec)),
    joinGroup: async (spec) => {
      group = await joinGroup(spec);
      if (place === 'watch' && own === rank) failAfterWatch();
      return group;
    },
  };
}

if (own >= 0) {
  const load = Module._extensions['.node'];
  Module._extensions['.node'] = (module, file) => {
    load(module, file);
    if (file.endsWith('mstar.node')) module.exports = wrapAddon(module.exports);
  };
}
// A rank that is not asked to do what rank 0 does fails while rank 0 is at it.
if (own > 0 && own === rank && marker && place !== 'rollout' && place !== 'watch') {
  const timer = setInterval(() => {
    if (!existsSync(marker)) return;
    clearInterval(timer);
    fail(false);
  }, 20);
  timer.unref();
}
