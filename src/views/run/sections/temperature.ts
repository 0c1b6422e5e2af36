// Which temperature was sampled at, and the scores that each choice was made from (P14).

import { rampColour } from '../../../page/charts/axes.js';
import { type Line, lineChart } from '../../../page/charts/line.js';
import { decimal } from '../../../page/format.js';
import { html, type Markup, type Part } from '../../../page/html.js';
import { figure, grid, note, type Section, section, table } from '../../../page/parts.js';
import type { TemperatureDecision } from '../../../record/results.js';
import type { RunData } from '../read.js';

interface Choice {
  readonly after: number;
  readonly decision: TemperatureDecision;
}

export function temperature({ iterations, dynamics }: RunData): Section {
  if (iterations.length === 0) return section('temperature', 'Temperature', note('No iteration is finished yet.'));
  const choices = dynamics.flatMap(({ iteration, decision }): Choice[] =>
    decision ? [{ after: iteration, decision }] : [],
  );
  const used = iterations.map(({ temperature: t }) => t);
  if (choices.length === 0) {
    const same = new Set(used).size === 1;
    const text = same ? `Every iteration was sampled at temperature ${used[0]}` : `Sampled at ${used.join(', ')}`;
    return section('temperature', 'Temperature', note(`${text}; none was chosen on the validation problems.`));
  }
  const usedChart = lineChart({
    id: 'temperature-used',
    title: 'Temperature of each iteration',
    description: iterations.map(({ iteration, temperature: t }) => `iteration ${iteration}: ${t}`).join(', '),
    xName: 'iteration',
    categories: iterations.map(({ iteration }) => String(iteration)),
    lines: [{ name: 'temperature', colour: 'var(--s2)', points: used.map((t, place) => [place, t] as const) }],
  });
  return section(
    'temperature',
    'Temperature',
    note(
      'The next iterations sample at the temperature with the highest Reward-Pass@2 on the validation problems; the lower one of equals.',
    ),
    grid(
      figure({ title: 'Temperature of each iteration', chart: usedChart }),
      figure({ title: 'Reward-Pass@2 by temperature', note: 'One line per choice.', chart: scoreChart(choices) }),
    ),
    record(choices),
  );
}

function scoreChart(choices: readonly Choice[]): Markup {
  const all = temperaturesOf(choices);
  const lines = choices.map(
    ({ after, decision }, i): Line => ({
      name: `after ${after}`,
      colour: rampColour(i, choices.length),
      points: decision.scores.map(({ temperature: t, rewardPassAt2 }) => [all.indexOf(t), rewardPassAt2] as const),
    }),
  );
  return lineChart({
    id: 'temperature-scores',
    title: 'Reward-Pass@2 by temperature, one line per choice',
    description: choices
      .map(({ after, decision }) => `after iteration ${after} temperature ${decision.chosen} was chosen`)
      .join(', '),
    xName: 'temperature',
    categories: all.map(String),
    lines,
    share: true,
  });
}

/** Every score that was compared; the deeper the colour, the higher in its row. */
function record(choices: readonly Choice[]): Markup {
  const all = temperaturesOf(choices);
  const rows = choices.map(({ after, decision }): Part[] => {
    const values = decision.scores.flatMap(({ rewardPassAt2 }) => rewardPassAt2 ?? []);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const cells = all.map((t): Part => {
      const score = decision.scores.find((one) => one.temperature === t)?.rewardPassAt2;
      if (score === undefined || score === null) return '';
      const depth = high > low ? Math.round(((score - low) / (high - low)) * 100) : 100;
      const chosen = t === decision.chosen;
      const mark = chosen && html` <b aria-label="chosen">★</b>`;
      return html`<span class="heat${chosen && ' chosen'}" style="--depth:${depth}%">${decimal(score * 100, 1)}${mark}</span>`;
    });
    return [`after ${after}`, String(decision.previous), html`<b>${decision.chosen}</b>`, ...cells];
  });
  return table(
    'Reward-Pass@2 in percent at each temperature (T); ★: chosen',
    ['choice', 'T before', 'T after', ...all.map(String)],
    rows,
  );
}

function temperaturesOf(choices: readonly Choice[]): number[] {
  const all = choices.flatMap(({ decision }) => decision.scores.map(({ temperature: t }) => t));
  return [...new Set(all)].sort((a, b) => a - b);
}
