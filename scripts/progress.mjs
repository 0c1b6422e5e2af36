// The lines of a build as progress: one line that a terminal overwrites, elsewhere a line at every tenth.
// Reads what ninja and make print; everything that is no step is passed on.

/** A step that ninja (with the status `[%f/%t] `) or make has finished. CMake's own checks count as none. */
const step = /^\[ *(\d+)(?:\/(\d+)|%)\] (?!Re-)/;
const chatter = /^(-- |\[\d+\/\d+\] Re-|ninja: no work|Consolidate compiler|Scanning dependencies|$)/;

/** Give every line of a build to `line` and call `end` after the last. `now` is a clock in ms. */
export function buildProgress(stream, now = Date.now) {
  const began = now();
  let told = -1;
  let open = false;
  const print = (text, last) => {
    stream.write(stream.isTTY ? `\r${text}\x1b[K${last ? '\n' : ''}` : `${text}\n`);
    open = Boolean(stream.isTTY) && !last;
  };
  return {
    line(text) {
      const [, done, of] = (step.exec(text) ?? []).map(Number);
      if (done === undefined) {
        if (chatter.test(text)) return;
        if (open) stream.write('\n');
        open = false;
        stream.write(`${text}\n`);
        return;
      }
      const total = of || 100;
      const tenth = Math.floor((10 * done) / total);
      if (!stream.isTTY && tenth === told) return;
      told = tenth;
      const seconds = (now() - began) / 1000;
      const left =
        done < total ? `about ${words((seconds / Math.max(1, done)) * (total - done))} left` : `took ${words(seconds)}`;
      print(`mstar: building the addon: ${of ? `${done} of ${total} files` : `${done} %`}, ${left}`, done === total);
    },
    end() {
      if (open) stream.write('\n');
    },
  };
}

const words = (seconds) => (seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`);
