// SentencePiece's BPE: cuts normalised text by merging the best-scored adjacent pair until none is left.
import { Agenda, type Merge } from './agenda.js';

/** What the merges need to know about the vocabulary. */
export interface MergeTable {
  /** Score of a piece that merges may form, undefined when there is none. */
  score(text: string): number | undefined;
  /** A piece that may be formed but not kept: it is cut again the way it was built. */
  isUnused(text: string): boolean;
  /** Length of the longest piece in UTF-16 units. */
  readonly longest: number;
  /** Length of the piece at `at` that is never cut nor merged (user-defined), 0 for none. */
  frozenAt(text: string, at: number): number;
}

interface Symbol {
  readonly start: number;
  /** Equal to `start` when the symbol was merged into the one before. */
  end: number;
  prev: number;
  next: number;
  readonly frozen: boolean;
}

interface ScoredMerge extends Merge {
  readonly right: number;
  readonly length: number;
}

/** The pieces of `text` in order; single characters outside the vocabulary are pieces of their own. O(n log n) in the text's length. */
export function bytePairPieces(text: string, table: MergeTable): string[] {
  const symbols = split(text, table);
  const agenda = new Agenda<ScoredMerge>();
  const builtFrom = new Map<string, readonly [string, string]>();
  const slice = (symbol: Symbol): string => text.slice(symbol.start, symbol.end);

  function consider(left: number, right: number): void {
    const a = symbols[left];
    const b = symbols[right];
    if (!a || !b || a.frozen || b.frozen) return;
    const length = b.end - a.start;
    if (length > table.longest) return;
    const piece = text.slice(a.start, b.end);
    const score = table.score(piece);
    if (score === undefined) return;
    agenda.push({ left, right, score, length });
    if (table.isUnused(piece)) builtFrom.set(piece, [slice(a), slice(b)]);
  }

  for (let i = 1; i < symbols.length; i++) consider(i - 1, i);
  for (let merge = agenda.pop(); merge; merge = agenda.pop()) {
    const a = symbols[merge.left] as Symbol;
    const b = symbols[merge.right] as Symbol;
    // A merge is stale once one of its sides was merged with something else.
    if (a.end === a.start || b.end === b.start || b.end - a.start !== merge.length) continue;
    a.end = b.end;
    a.next = b.next;
    const after = symbols[b.next];
    if (after) after.prev = merge.left;
    b.end = b.start;
    consider(a.prev, merge.left);
    consider(merge.left, a.next);
  }

  const pieces: string[] = [];
  for (let i = symbols.length > 0 ? 0 : -1; i !== -1; i = (symbols[i] as Symbol).next) {
    const open = [slice(symbols[i] as Symbol)];
    for (let piece = open.pop(); piece !== undefined; piece = open.pop()) {
      const parts = table.isUnused(piece) ? builtFrom.get(piece) : undefined;
      if (parts) open.push(parts[1], parts[0]);
      else pieces.push(piece);
    }
  }
  return pieces;
}

function split(text: string, table: MergeTable): Symbol[] {
  const symbols: Symbol[] = [];
  for (let at = 0; at < text.length; ) {
    const frozen = table.frozenAt(text, at);
    const length = frozen || ((text.codePointAt(at) as number) > 0xffff ? 2 : 1);
    const index = symbols.length;
    symbols.push({ start: at, end: at + length, prev: index - 1, next: index + 1, frozen: frozen > 0 });
    at += length;
  }
  const last = symbols.at(-1);
  if (last) last.next = -1;
  return symbols;
}
