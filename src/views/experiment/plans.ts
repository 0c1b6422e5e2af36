// The paper's tables and figures, and online reinforcement learning beside them, as grids of rows (assets/rows): what each compares, and
// against which row.

export interface Row {
  /** A file of assets/rows. */
  readonly row: string;
  /** As the table names it. */
  readonly name: string;
  /** The row that it is compared with, seed by seed; that of the plan when left out. */
  readonly against?: string;
}

export interface Plan {
  readonly name: string;
  readonly title: string;
  readonly rows: readonly Row[];
  /** The row that those are compared with which name no other. */
  readonly reference: string;
  /** The rows measure the policy as they go, and their curves are drawn. */
  readonly followed?: boolean;
  /** Names of benchmarks: the table is of these, and of the base model and the warm-up as the reference row has them. */
  readonly benchmarks?: readonly string[];
}

const LABELLED: Row = { row: 'interval-25', name: 'Continuous, 25 %, all right' };
const TOP: Row = { row: 'top-2', name: '+ PRM, top 2' };
const FINAL: Row = { row: 'adaptive', name: 'M-STaR' };

export const plans: Readonly<Record<string, Plan>> = {
  table1: {
    name: 'table1',
    title: 'Training methods and iteration intervals (Table 1)',
    rows: [
      { row: 'sft', name: 'SFT' },
      { row: 'iterative-rft', name: 'Iterative RFT, 100 %', against: 'rest-em' },
      { row: 'rest-em', name: 'ReST-EM, 100 %' },
      { row: 'interval-100', name: 'Continuous, 100 %', against: 'rest-em' },
      { row: 'interval-50', name: 'Continuous, 50 %' },
      { row: 'interval-25', name: 'Continuous, 25 %' },
      { row: 'interval-12-5', name: 'Continuous, 12.5 %' },
      { row: 'interval-6-25', name: 'Continuous, 6.25 %' },
    ],
    reference: 'interval-25',
  },
  table2: {
    name: 'table2',
    title: 'Selection of the right responses (Table 2)',
    rows: [
      LABELLED,
      { row: 'random-2', name: '+ random 2' },
      { row: 'threshold', name: '+ PRM, threshold' },
      { row: 'top-1', name: '+ PRM, top 1' },
      { ...TOP, against: 'random-2' },
      { row: 'top-4', name: '+ PRM, top 4' },
    ],
    reference: 'interval-25',
  },
  table3: {
    name: 'table3',
    title: 'Problems without answers (Table 3)',
    rows: [
      LABELLED,
      TOP,
      { row: 'oracle-all', name: 'Oracle from 0 %, all right', against: 'interval-25' },
      { row: 'oracle', name: 'Oracle from 0 %, top 2' },
      { row: 'unlabelled-0', name: 'Pseudo labels from 0 %' },
      { row: 'unlabelled-25', name: 'Pseudo labels from 25 %' },
      { row: 'unlabelled-50', name: 'Pseudo labels from 50 %' },
      { row: 'unlabelled-75', name: 'Pseudo labels from 75 %' },
    ],
    reference: 'top-2',
  },
  grpo: {
    name: 'grpo',
    title: 'Online reinforcement learning beside self-evolving, from as many sampled responses',
    rows: [LABELLED, { row: 'random-2', name: '+ random 2' }, { row: 'grpo', name: 'GRPO' }],
    reference: LABELLED.row,
  },
  table4: {
    name: 'table4',
    title: 'The final recipe and its baselines on MathVista and its sub-tasks (Table 4)',
    rows: [
      { row: 'sft', name: 'SFT' },
      { row: 'iterative-rft', name: 'Iterative RFT' },
      { row: 'rest-em', name: 'ReST-EM' },
      { ...LABELLED, name: 'Continuous' },
      TOP,
      FINAL,
    ],
    reference: FINAL.row,
    benchmarks: ['mathvista'],
  },
  table5: {
    name: 'table5',
    title: 'The final recipe on five benchmarks (Table 5)',
    rows: [FINAL],
    reference: FINAL.row,
    benchmarks: ['mathvista', 'm3cot', 'mmstar-r', 'mmbench-r', 'ai2d'],
  },
  dynamics: {
    name: 'dynamics',
    title: 'Dynamics with a fixed and an adaptive temperature (Figures 3 to 6)',
    rows: [
      { row: 'fixed', name: 'Temperature 1' },
      { row: 'adaptive', name: 'Adaptive temperature' },
    ],
    reference: 'fixed',
    followed: true,
  },
};
