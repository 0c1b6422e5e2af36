// Finds the matches of an expression in time that grows with the text alone, whatever the expression: no choice is
// tried twice at one place of the text. JavaScript's own matcher may take a choice again and again, and cannot be
// interrupted. Of several ways to match the first counts, as in Perl's dialects.

/** Part of an expression. A set is a JavaScript class or character; it decides about one code point. */
export type Node =
  | { readonly set: string }
  | { readonly sequence: readonly Node[] }
  | { readonly choice: readonly Node[] }
  | { readonly repeat: Node; readonly least: number; readonly most: number }
  /** Whether the next code point is of the set (or, `negative`, is not, or there is none); takes nothing. */
  | { readonly ahead: string; readonly negative: boolean };

type Test = (code: number) => boolean;

type Step =
  | { readonly kind: 'take'; readonly test: Test; readonly next: number }
  | { readonly kind: 'look'; readonly test: Test; readonly negative: boolean; readonly next: number }
  /** Tries `first`, then `second`. `mark`: its bit among those of a place of the text. */
  | { readonly kind: 'choose'; readonly mark: number; first: number; second: number }
  | { readonly kind: 'done' };

/** Far above what published tokenizers have; together with the text it bounds time and memory. */
const MAX_STEPS = 500;

export class Matcher {
  readonly #steps: Step[] = [{ kind: 'done' }];
  readonly #tests = new Map<string, Test>();
  readonly #start: number;
  #marks = 0;

  /** Throws SyntaxError whose message is what was wanted. */
  constructor(expression: Node) {
    this.#start = this.#compile(expression, 0);
  }

  /** Start and end of each match in order, as String.matchAll finds them. */
  *matches(text: string): Generator<readonly [number, number]> {
    const width = Math.ceil(this.#marks / 32);
    // What was chosen at a place and came to nothing comes to nothing again, wherever the match began.
    const tried = new Uint32Array(width * (text.length + 1));
    for (let start = 0; start <= text.length; ) {
      const end = this.#endOf(text, start, tried, width);
      if (end !== undefined) {
        yield [start, end];
        // Here choices came to something.
        tried.fill(0, end * width, (end + 1) * width);
      }
      start = end !== undefined && end > start ? end : start + sizeOf(text.codePointAt(start) ?? 0);
    }
  }

  #endOf(text: string, start: number, tried: Uint32Array, width: number): number | undefined {
    const open = [this.#start, start];
    while (open.length > 0) {
      let at = open.pop() as number;
      let pc: number | undefined = open.pop() as number;
      while (pc !== undefined) {
        const step = this.#steps[pc] as Step;
        if (step.kind === 'done') return at;
        if (step.kind === 'choose') {
          const word = at * width + (step.mark >> 5);
          const bit = 1 << (step.mark & 31);
          if (((tried[word] as number) & bit) !== 0) break;
          tried[word] = (tried[word] as number) | bit;
          open.push(step.second, at);
          pc = step.first;
          continue;
        }
        const code = text.codePointAt(at);
        const found = code !== undefined && step.test(code);
        if (step.kind === 'look') pc = found === step.negative ? undefined : step.next;
        else if (found) {
          at += sizeOf(code);
          pc = step.next;
        } else pc = undefined;
      }
    }
    return undefined;
  }

  /** Index of the first step of `node`, after which the step `next` is taken. */
  #compile(node: Node, next: number): number {
    if ('set' in node) return this.#add({ kind: 'take', test: this.#testOf(node.set), next });
    if ('ahead' in node)
      return this.#add({ kind: 'look', test: this.#testOf(node.ahead), negative: node.negative, next });
    if ('sequence' in node) return node.sequence.reduceRight((after, part) => this.#compile(part, after), next);
    if ('choice' in node) {
      const ways = node.choice.map((way) => this.#compile(way, next));
      return ways.reduceRight((second, first) => this.#choose(first, second));
    }
    const { repeat, least, most } = node;
    // Dialects differ in how often nothing is taken.
    if (takesNothing(repeat)) throw new SyntaxError('an expression that repeats only what takes a character');
    let after = next;
    if (most === Number.POSITIVE_INFINITY) {
      after = this.#choose(0, next);
      (this.#steps[after] as { first: number }).first = this.#compile(repeat, after);
    } else for (let i = least; i < most; i++) after = this.#choose(this.#compile(repeat, after), next);
    for (let i = 0; i < least; i++) after = this.#compile(repeat, after);
    return after;
  }

  #choose(first: number, second: number): number {
    return this.#add({ kind: 'choose', mark: this.#marks++, first, second });
  }

  #add(step: Step): number {
    if (this.#steps.length === MAX_STEPS) throw new SyntaxError(`an expression of at most ${MAX_STEPS} steps`);
    return this.#steps.push(step) - 1;
  }

  #testOf(set: string): Test {
    const known = this.#tests.get(set) ?? testOf(set);
    this.#tests.set(set, known);
    return known;
  }
}

function takesNothing(node: Node): boolean {
  if ('set' in node) return false;
  if ('ahead' in node) return true;
  if ('sequence' in node) return node.sequence.every(takesNothing);
  if ('choice' in node) return node.choice.some(takesNothing);
  return node.least === 0 || takesNothing(node.repeat);
}

/** Asks JavaScript once for each code point of one unit. */
function testOf(set: string): Test {
  const expression = new RegExp(`^(?:${set})$`, 'u');
  const test = (code: number): boolean => expression.test(String.fromCodePoint(code));
  const known = new Uint8Array(0x10000);
  return (code) => {
    if (code > 0xffff) return test(code);
    known[code] ||= test(code) ? 2 : 1;
    return known[code] === 2;
  };
}

function sizeOf(code: number): 1 | 2 {
  return code > 0xffff ? 2 : 1;
}
