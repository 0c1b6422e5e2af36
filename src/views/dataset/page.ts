// A data set as a page: what is in it, what is odd about it, and some of its problems to look at. The page stands
// alone: no script, pictures inside.
import type { Problem } from '../../core/types.js';
import { barChart, lyingBars } from '../../page/charts/bars.js';
import type { Document } from '../../page/document.js';
import { count, percent } from '../../page/format.js';
import { html, type Markup } from '../../page/html.js';
import { facts, figure, grid, note, type Section, section, table } from '../../page/parts.js';
import { embedPicture } from '../../page/pictures.js';
import type { Census, Histogram } from './census.js';

/** The whole document. */
export async function describeDataset(title: string, census: Census, sample: readonly Problem[]): Promise<Document> {
  const tagged = Object.keys(census.tags).length > 0 ? [tags(census)] : [];
  const sections = [overview(census), kinds(census), ...tagged, lengths(census), pictures(census), odd(census)];
  return { kind: 'mstar data', title, sections: [...sections, await sheet(sample)] };
}

function overview(census: Census): Section {
  const { problems, questionTypes, pictures: seen, repeats } = census;
  const choice = questionTypes.multi_choice ?? 0;
  return section(
    ['overview', 'Overview'],
    'What the file holds',
    facts([
      ['file', html`<code>${census.file}</code>`],
      ['read as', census.format],
      ['problems', count(problems)],
      ['sources', count(Object.keys(census.sources).length)],
      ['multiple choice', html`${count(choice)} (${percent(problems === 0 ? null : choice / problems)})`],
      ['different pictures', count(seen.distinct)],
      ['pictures missing or unreadable', count(seen.missing + seen.unreadable)],
      ['questions with a hint line', count(census.hinted)],
      ['median question', html`${count(census.characters.median)} characters`],
      ['repeated problems', count(repeats.same + repeats.conflicting)],
      ['odd records', count(census.warnings.count)],
    ]),
  );
}

function bars(id: string, title: string, counts: Readonly<Record<string, number>>, total: number): Markup {
  const most = 20;
  const rows = Object.entries(counts);
  return figure({
    id,
    title,
    note: rows.length > most && `the largest ${most} of ${rows.length}`,
    chart: lyingBars(
      rows
        .slice(0, most)
        .map(([name, value]) => ({ name, value, text: `${count(value)} (${percent(value / total)})` })),
    ),
    numbers: table(title, rows, [
      ['', ([name]) => name],
      ['problems', ([, value]) => count(value)],
    ]),
  });
}

function kinds({ sources, questionTypes, answerTypes, choices, letters, problems }: Census): Section {
  const choice = questionTypes.multi_choice ?? 0;
  return section(
    ['kinds', 'Kinds'],
    'Kinds of problems',
    grid(
      bars('sources', 'Sources', sources, problems),
      bars('answers', 'Types of answers', answerTypes, problems),
      choice > 0 && bars('choices', 'Number of choices', choices, choice),
      choice > 0 && bars('letters', 'Right letters', letters, choice),
    ),
    choice > 0 &&
      note(
        'A model that always gives the most frequent letter is right as often as the longest bar of the last chart.',
      ),
  );
}

function tags({ tags: all, problems }: Census): Section {
  return section(
    ['tags', 'Tags'],
    'In the words of the data set',
    grid(...Object.entries(all).map(([tag, values], i) => bars(`tag-${i}`, tag, values, problems))),
  );
}

function histogram(id: string, title: string, xName: string, { borders, counts, median, most }: Histogram): Markup {
  const last = borders.length - 1;
  const ranges = borders.map((border, i) => (i === last && most >= border ? `${borders[i - 1] ?? 0}+` : `< ${border}`));
  return figure({
    id,
    title,
    note: `median ${count(median)}, most ${count(most)}`,
    chart: barChart({ xName, categories: ranges, bars: [{ name: 'count', colour: 'var(--s1)', values: counts }] }),
    numbers: table(
      title,
      ranges.map((range, i) => [range, count(counts[i])]),
      [
        [xName, ([range]) => range],
        ['count', ([, value]) => value],
      ],
    ),
  });
}

function lengths({ characters, tokens }: Census): Section {
  return section(
    ['lengths', 'Lengths'],
    'Length of the questions',
    grid(
      histogram('characters', 'Characters', 'characters', characters),
      tokens && histogram('tokens', 'Tokens of the text, pictures not counted', 'tokens', tokens),
    ),
  );
}

function pictures({ pictures: seen, problems }: Census): Section {
  return section(
    'pictures',
    'Pictures',
    grid(
      bars('per-problem', 'Pictures of a problem', seen.perProblem, problems),
      seen.distinct > 0 && bars('formats', 'Formats', seen.formats, seen.distinct),
      seen.distinct > 0 && histogram('width', 'Width', 'pixels', seen.width),
      seen.distinct > 0 && histogram('height', 'Height', 'pixels', seen.height),
    ),
    seen.missing + seen.unreadable > 0 &&
      note(html`${count(seen.missing)} missing, ${count(seen.unreadable)} unreadable, the first of them:`),
    seen.examples.length > 0 && html`<ul>${seen.examples.map((text) => html`<li><code>${text}</code></li>`)}</ul>`,
  );
}

function odd({ repeats, notes, warnings }: Census): Section {
  const { same, conflicting } = repeats;
  return section(
    ['odd', 'Odd'],
    'What is odd',
    notes.map((text) => note(`${text}.`)),
    same + conflicting > 0 &&
      note(
        `${count(same + conflicting)} problems have picture and question of an earlier one: ${count(same)} with its answer, ${count(conflicting)} with another.`,
      ),
    warnings.count === 0
      ? note('No repeated id, no question with two answers, no answer that is none of its choices.')
      : html`<p>${count(warnings.count)} in all. Nothing was dropped. The first of them:</p><ul>${warnings.examples.map((text) => html`<li><code>${text}</code></li>`)}</ul>`,
  );
}

async function sheet(sample: readonly Problem[]): Promise<Section> {
  const cards = await Promise.all(sample.map(card));
  return section(['sheet', 'Problems'], 'Problems, drawn at random', html`<div class="sheet">${cards}</div>`);
}

async function card({ id, source, question, answer, images }: Problem): Promise<Markup> {
  const shown = await Promise.all(images.map((image) => embedPicture('/', image)));
  const none = html`<p class="note">no picture</p>`;
  const tiles = shown.map((picture) =>
    picture ? html`<img src="${picture.uri}" width="${picture.width}" height="${picture.height}" alt="">` : none,
  );
  return html`<article>${tiles.length > 0 ? tiles : none}<h3>${source ? `${source} · ` : ''}${id}</h3><pre>${question}</pre><p>Answer: <strong>${answer || '(hidden)'}</strong></p></article>`;
}
