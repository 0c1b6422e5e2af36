// The pages of the site and their order, by what a reader wants to do.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { root } from '../scripts/log.mjs';

/** Heading of the sidebar -> its pages: a title and the path of a Markdown file from the root. */
export const sections = {
  Start: [
    ['What mstar is', 'README.md'],
    ['Tutorial', 'docs/tutorial.md'],
    ['From TRL, ms-swift, vLLM', 'docs/coming-from.md'],
    ['The paper', 'docs/paper.md'],
  ],
  'Your data': [
    ['Data', 'docs/data.md'],
    ['Grading', 'docs/grading.md'],
  ],
  Train: [
    ['Models', 'docs/models.md'],
    ['Experiments', 'docs/experiments.md'],
    ['The plan of the experiments', 'docs/experiments/plan.md'],
    ['Process reward models', 'docs/prm.md'],
    ['Online RL (GRPO)', 'docs/grpo.md'],
    ['Adapters (LoRA)', 'docs/lora.md'],
  ],
  Evaluate: [['Evaluation', 'docs/evaluation.md']],
  Operate: [
    ['Operating a run', 'docs/operating.md'],
    ['Watching', 'docs/watching.md'],
    ['Serving', 'docs/serving.md'],
    ['Metrics', 'docs/metrics.md'],
    ['The run folder', 'docs/run-folder.md'],
    ['Several processes', 'docs/several-processes.md'],
    ['Clusters', 'examples/cluster/README.md'],
    ['Changes', 'CHANGELOG.md'],
  ],
  Library: [['From a program', 'docs/library.md']],
  'How it is built': [
    ['Contributing', 'CONTRIBUTING.md'],
    ['Adding a backbone', 'docs/adding-a-backbone.md'],
    ...markdownIn('docs/adr').map((file) => [file.replace(/^.*\/0*(\d+)-(.*)\.md$/, 'ADR $1: $2'), file]),
  ],
};

/** Every page: those of the sidebar and the measurements that they name. */
export function pages() {
  return [
    ...Object.values(sections)
      .flat()
      .map(([, file]) => file),
    ...markdownIn('benchmarks/results'),
  ];
}

/** The anchor of a heading, as GitHub makes it: the same links hold there and here. */
export function anchorOf(title) {
  return title
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

function markdownIn(folder) {
  const names = readdirSync(path.join(root, folder), { recursive: true }).filter((name) => name.endsWith('.md'));
  return names.sort().map((name) => `${folder}/${name}`);
}
