// Questions to the tables of a run: counts over rollouts/*.parquet and labels.jsonl, and rows of single problems.
import { type Database, openDatabase, tableOf } from '../core/duckdb.js';
import { UserError } from '../core/errors.js';

/** One response of rollouts/*.parquet, or the reason why a problem has none. */
export interface ResponseRow {
  readonly problem: string;
  readonly question: string;
  readonly answer: string;
  /** Paths of the pictures, relative to the run folder where they lie in it. */
  readonly images: readonly string[];
  /** Null where the problem could not be sampled. */
  readonly sample: number | null;
  readonly text: string;
  readonly finish: string;
  /** `correct`, `wrong`, `unreadable` or `error`. */
  readonly verdict: string;
  readonly reason: string;
  readonly reward: number | null;
  readonly selected: boolean;
  readonly lucky: boolean | null;
  readonly steps: readonly StepRow[];
}

/** A step: a span of the text, its PRM score and whether it is right, where known. */
export interface StepRow {
  readonly start: number;
  readonly end: number;
  readonly score: number | null;
  readonly right: boolean | null;
}

/** What the responses to one problem came to. */
export interface ProblemStats {
  readonly problem: string;
  readonly responses: number;
  readonly correct: number;
  /** Unreadable responses and those ended by the limit on tokens. */
  readonly unfinished: number;
  readonly error: boolean;
  readonly multipleChoice: boolean;
  readonly selected: number;
  readonly luckySelected: number;
  /** Highest reward of a right chain that was selected. */
  readonly soundReward: number | null;
  /** Highest reward of a lucky response that was refused; a repeat of a selected text was not. */
  readonly refusedLuckyReward: number | null;
  /** Right answers by a right chain that were refused. */
  readonly soundRefused: number;
}

/** Which responses a reader asks for, by a name, as a condition on a row. */
const WANTED = {
  all: 'true',
  selected: 'selected',
  lucky: 'lucky',
  correct: `verdict = 'correct'`,
  wrong: `verdict = 'wrong'`,
  unreadable: `verdict = 'unreadable'`,
  'cut-off': `finish = 'length'`,
  failed: `verdict = 'error'`,
} as const;
export type Wanted = keyof typeof WANTED;
export const WANTED_NAMES = Object.keys(WANTED) as Wanted[];

/** Problems that have a wanted response, a page at a time. */
export interface ProblemPage {
  /** On all pages. */
  readonly total: number;
  readonly problems: readonly { readonly problem: string; readonly responses: number; readonly correct: number }[];
}

/** Steps of labels.jsonl with one label and one truth. */
export interface LabelCount {
  readonly label: number;
  readonly truth: boolean | null;
  readonly count: number;
}

const NUMBERED = 'file_row_number = true';
const LINES = "format = 'newline_delimited'";

export class Tables {
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
  }

  static async open(): Promise<Tables> {
    // No folder to spill into: a report writes one file and nothing else.
    return new Tables(await openDatabase({ threads: '1', temp_directory: '' }));
  }

  close(): void {
    this.#database.close();
  }

  /** Problems by how many of their responses were selected: index 0 holds those with none. */
  async keptPerProblem(file: string): Promise<{ readonly problems: readonly number[]; readonly truthKnown: boolean }> {
    const rows = await this.#read<{ kept: number; problems: number; known: boolean }>(
      file,
      `select kept, count(*)::integer as problems, bool_or(known) as known from (
        select count(*) filter (selected)::integer as kept, bool_or(lucky is not null) as known
        from ${tableOf('read_parquet', file)} group by problem
      ) group by kept order by kept`,
    );
    const problems = new Array<number>((rows.at(-1)?.kept ?? -1) + 1).fill(0);
    for (const row of rows) problems[row.kept] = row.problems;
    return { problems, truthKnown: rows.some(({ known }) => known) };
  }

  /** Problems that only the second of two greedy passes got right (`won`), or only the first (`lost`). */
  async flips(
    before: string,
    after: string,
  ): Promise<{ readonly problems: number; readonly won: number; readonly lost: number }> {
    const sql = `select count(*)::integer as problems,
        count(*) filter (b.verdict = 'correct' and a.verdict <> 'correct')::integer as won,
        count(*) filter (a.verdict = 'correct' and b.verdict <> 'correct')::integer as lost
      from ${tableOf('read_parquet', before)} a join ${tableOf('read_parquet', after)} b using (problem)
      where a.temperature = 0 and b.temperature = 0`;
    const [row] = await this.#read<{ problems: number; won: number; lost: number }>(before, sql);
    return row ?? { problems: 0, won: 0, lost: 0 };
  }

  /** Ids of the first `most` problems that only the second of two greedy passes got right (`won`), or only the first. */
  async flipped(before: string, after: string, won: boolean, most: number): Promise<string[]> {
    const [right, other] = won ? ['b', 'a'] : ['a', 'b'];
    const sql = `select a.problem as problem
      from ${tableOf('read_parquet', before, NUMBERED)} a join ${tableOf('read_parquet', after)} b using (problem)
      where a.temperature = 0 and b.temperature = 0
        and ${right}.verdict = 'correct' and ${other}.verdict <> 'correct'
      order by a.file_row_number limit ${most}`;
    return (await this.#read<{ problem: string }>(before, sql)).map(({ problem }) => problem);
  }

  /** Steps of labels.jsonl by label and by what is known of them, in order of label. */
  async labelCounts(file: string): Promise<LabelCount[]> {
    const columns = `{steps: 'STRUCT(label DOUBLE, "right" BOOLEAN)[]'}`;
    return this.#read<LabelCount>(
      file,
      `select step.label as label, step."right" as truth, count(*)::integer as count
      from (select unnest(steps) as step from ${tableOf('read_json', file, LINES, `columns = ${columns}`)})
      where step.label is not null
      group by all order by label, truth nulls first`,
    );
  }

  /** One entry per problem, in the order of the file. */
  async problemStats(file: string): Promise<ProblemStats[]> {
    const right = `verdict = 'correct' and lucky = false`;
    return this.#read<ProblemStats>(
      file,
      // Only what is counted is read: tokens and texts of a real iteration would not fit in memory.
      `with responses as (
        select problem, file_row_number as place, sample, verdict, finish, selected, lucky, reward, hash(text) as words,
          regexp_full_match(answer, '[A-Z]') and contains(question, '(' || answer || ')') as choice
        from ${tableOf('read_parquet', file, NUMBERED)}
      ), kept as (
        select distinct problem, words, true as taken from responses where selected
      )
      select problem,
        count(sample)::integer as responses,
        count(*) filter (verdict = 'correct')::integer as correct,
        count(*) filter (verdict = 'unreadable' or finish = 'length')::integer as unfinished,
        bool_or(verdict = 'error') as error,
        any_value(choice) as "multipleChoice",
        count(*) filter (selected)::integer as selected,
        count(*) filter (selected and lucky)::integer as "luckySelected",
        max(reward) filter (selected and ${right}) as "soundReward",
        max(reward) filter (taken is null and lucky and finish = 'stop') as "refusedLuckyReward",
        count(*) filter (taken is null and ${right} and finish = 'stop')::integer as "soundRefused"
      from responses left join kept using (problem, words)
      group by problem order by min(place)`,
    );
  }

  /** Kinds of problems (where each is from) with their number, by name; at most a hundred. */
  async kinds(file: string): Promise<{ readonly kind: string; readonly problems: number }[]> {
    return this.#read(
      file,
      `select coalesce(source, '') as kind, count(distinct problem)::integer as problems
      from ${tableOf('read_parquet', file)} group by kind order by kind limit 100`,
    );
  }

  /**
   * Problems with at least one wanted response, in the order of the file, `most` from place `from` on.
   * @param kind as `kinds` gives it; all kinds where it is undefined
   */
  async problemPage(
    file: string,
    { wanted, kind }: { readonly wanted: Wanted; readonly kind: string | undefined },
    from: number,
    most: number,
  ): Promise<ProblemPage> {
    const found = `select problem, min(file_row_number) as place, count(sample)::integer as responses,
        count(*) filter (verdict = 'correct')::integer as correct
      from ${tableOf('read_parquet', file, NUMBERED)} where ${kind === undefined ? 'true' : `coalesce(source, '') = $1`}
      group by problem having bool_or(${WANTED[wanted]})`;
    const values = kind === undefined ? [] : [kind];
    const [count] = await this.#read<{ total: number }>(
      file,
      `select count(*)::integer as total from (${found})`,
      ...values,
    );
    const problems = await this.#read<ProblemPage['problems'][number]>(
      file,
      `select problem, responses, correct from (${found}) order by place limit ${Math.trunc(most)} offset ${Math.trunc(from)}`,
      ...values,
    );
    return { total: count?.total ?? 0, problems };
  }

  /** All responses to some problems, or those wanted, in the order of the file. */
  async responses(file: string, problems: readonly string[], wanted: Wanted = 'all'): Promise<ResponseRow[]> {
    if (problems.length === 0) return [];
    const marks = problems.map((_, i) => `$${i + 1}`).join(', ');
    type Raw = Omit<ResponseRow, 'images' | 'steps'> & {
      readonly image: string | null;
      readonly steps: StepRow[] | null;
    };
    const rows = await this.#read<Raw>(
      file,
      `select problem, question, answer, image, sample, coalesce(text, '') as text, coalesce(finish, '') as finish,
        coalesce(verdict, '') as verdict, coalesce(reason, '') as reason, reward, coalesce(selected, false) as selected,
        lucky, list_transform(steps, lambda s:
          {'start': s.text_start, 'end': s.text_end, 'score': s.score::double, 'right': s."right"}) as steps
      from ${tableOf('read_parquet', file, NUMBERED)}
      where problem in (${marks}) and ${WANTED[wanted]} order by file_row_number`,
      ...problems,
    );
    return rows.map(({ image, steps, ...rest }) => ({
      ...rest,
      images: image ? image.split('\n') : [],
      steps: steps ?? [],
    }));
  }

  async #read<T>(file: string, sql: string, ...values: string[]): Promise<T[]> {
    try {
      const reader = await this.#database.connection.runAndReadAll(sql, values);
      return reader.getRowObjectsJS() as T[];
    } catch (error) {
      const [line] = (error as Error).message.split('\n');
      throw new UserError(`${file}: table: ${line}, wanted a table that mstar wrote`);
    }
  }
}
