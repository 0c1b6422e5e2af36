// Finds every place where a text names a choice, by letter, by its words or by its value, joins what is named together,
// as in `(A), (C) and (D)`, and says what the sentence does with it.
import { letterAt, placeOf } from '../../core/letters.js';
import { findQuantities } from './arithmetic.js';
import { Choices, formula } from './choices.js';
import { findNumberWords } from './number.js';
import { isWholeWord, textBefore } from './text.js';

/** A choice and where a text names it. */
interface Mention {
  readonly letter: string;
  readonly start: number;
  readonly end: number;
  readonly by: 'bracket' | 'letter' | 'words';
  /** True for a letter that the text of a choice follows, as in `B. red`. */
  readonly hasText?: boolean;
}

/** `drawn`: named in a sentence that begins as a conclusion does (`So ...`), which may say more than that. */
export type Stance = 'concluded' | 'drawn' | 'mentioned' | 'denied';

/** Choices that are named together, with nothing but commas and `or` between them. */
export interface Group {
  readonly mentions: readonly Mention[];
  /** Different letters, in order. */
  readonly letters: readonly string[];
  readonly stance: Stance;
  readonly start: number;
  readonly end: number;
}

/** Where letters name choices. Patterns begin with what is rare in a text, which keeps the search fast. */
const LETTERS = Object.entries({
  /** The C of `sin(C)` is none. */
  bracket: /[([](?<![A-Za-z\d][([])\s?([A-Za-z])\s?[)\]]/g,
  /**
   * Alone: neither part of a word nor of `10 A.M.` or `sin(C)`. `A` is none where a word in lower case makes it an article, as
   * in `A red ball`, nor is the pronoun I.
   */
  letter: new RegExp(
    [
      String.raw`([A-Z])(?<![A-Za-z\d_.-][A-Z]|[A-Za-z\d]\([A-Z])(?![\w-]|\.[A-Za-z])(?<!I(?='| [a-z]))`,
      String.raw`(?<!A(?= (?!(?:is|was|because|since|as|which|and|or|for|over|but|cannot|can|does|seems|must|matches|fits)\b)[a-z]))`,
    ].join(''),
    'g',
  ),
  named: /\b(?:option|choice)s? ([a-z])(?![\w-])/g,
});

/**
 * How much is looked at, in UTF-16 units: of the end of a text for values, of a sentence, between choices that are named
 * together, and on either side of one for what is said of it.
 */
const LONGEST = { searched: 4096, sentence: 240, between: 32, near: 96 };

/** Finds what a text names of the choices of a question. */
export class NamedChoices {
  readonly #text: string;
  readonly #choices: readonly string[];

  constructor(text: string, choices: readonly string[]) {
    this.#text = text;
    this.#choices = choices;
  }

  /**
   * Everything that is named, in order, each with what its sentence says of it.
   * @param lettersFirst where a letter and the words of a choice stand at the same place, the letter is taken
   */
  groups(lettersFirst: boolean): Group[] {
    const letters = LETTERS.flatMap(([how, pattern]) =>
      Array.from(this.#text.matchAll(pattern), ({ 0: { length }, 1: written = '', index }): Mention => {
        const end = index + length;
        const by = how === 'bracket' ? how : 'letter';
        return { letter: written.toUpperCase(), start: how === 'named' ? end - 1 : index, end, by };
      }).filter(({ letter }) => placeOf(letter) < this.#choices.length),
    );
    const words = [...this.#words(), ...this.#values()];
    const all = lettersFirst ? [...letters, ...words] : [...words, ...letters];
    all.sort((a, b) => a.start - b.start || b.end - a.end);
    const kept: Mention[] = [];
    for (const mention of all) if (mention.start >= (kept.at(-1)?.end ?? 0)) kept.push(mention);
    return this.#joined(kept);
  }

  #words(): Mention[] {
    const lower = this.#text.toLowerCase();
    const all = Choices.of(this.#choices).forms.map(({ sought }) => sought);
    return all.flatMap((words, index) => {
      const found: Mention[] = [];
      if (words === '') return found;
      // `EE` and `Ee` are told apart by their case.
      const isCased = all.some((other) => other !== words && other.toLowerCase() === words.toLowerCase());
      const [where, sought] = isCased ? [this.#text, words] : [lower, words.toLowerCase()];
      for (let at = where.indexOf(sought); at >= 0; at = where.indexOf(sought, at + 1)) {
        if (!isWholeWord(where, at, at + sought.length)) continue;
        found.push({ letter: letterAt(index), start: at, end: at + sought.length, by: 'words' });
      }
      return found;
    });
  }

  #values(): Mention[] {
    const text = this.#text;
    const all = Choices.of(this.#choices);
    if (all.forms.every(({ node }) => node === null)) return [];
    const from = Math.max(0, text.length - LONGEST.searched);
    const end = text.slice(from);
    return (
      [...findNumberWords(end).filter(({ value }) => value !== 1), ...findQuantities(end)]
        // So many are compared with the choices.
        .slice(-48)
        .flatMap((quantity) => {
          const { value } = quantity;
          const [start, end] = [from + quantity.start, from + quantity.end];
          const node = Number.isFinite(value) ? null : formula(text.slice(start, end));
          const found = Number.isFinite(value) ? all.sameValues(value) : node ? all.sameFormulas(node) : [];
          const letter = all.onlyOne(found);
          return letter === null ? [] : [{ letter, start, end, by: 'words' as const }];
        })
    );
  }

  /** Mentions joined into groups, each with what its sentence says of it. */
  #joined(mentions: readonly Mention[]): Group[] {
    const text = this.#text;
    const parts: Mention[][] = [];
    for (const mention of mentions) {
      const open = parts.at(-1);
      const last = open?.at(-1);
      const between = last ? text.slice(last.end, mention.start) : null;
      if (last && between !== null && isOwnText(last, between, mention)) {
        open?.splice(-1, 1, { ...last, end: mention.end, hasText: true });
        continue;
      }
      if (open && between !== null && between.length <= LONGEST.between && isTogether(between, open, mention))
        open.push(mention);
      else parts.push([mention]);
    }
    return this.#withoutLast(parts).map((group, i, parts) => {
      const [first, last] = [group[0] as Mention, group.at(-1) as Mention];
      const from = (parts[i - 1]?.at(-1) as Mention | undefined)?.end ?? 0;
      const to = parts[i + 1]?.[0]?.start ?? text.length;
      const sentence = this.#sentenceBefore(first.start);
      const before = text.slice(Math.max(from, first.start - sentence.length), first.start);
      const stance = stanceOf(sentence, before, this.#rest(last.end, to, sentence === ''));
      const letters = [...new Set(group.map(({ letter }) => letter))];
      return { mentions: group, letters, stance, start: first.start, end: last.end };
    });
  }

  /** Parts the last of `B, A is wrong` from the group: what is said in the singular is said of it alone. */
  #withoutLast(parts: readonly Mention[][]): Mention[][] {
    return parts.flatMap((group) => {
      const [before, last] = [group.at(-2), group.at(-1)];
      if (!before || !last || before.letter === last.letter) return [group];
      const isSingular = /^ (?:is|was|does|has|isn'?t|doesn'?t|fits|matches)\b/.test(
        this.#text.slice(last.end, last.end + 12),
      );
      return isSingular && /^\)?[,.] $/.test(this.#text.slice(before.end, last.start))
        ? [group.slice(0, -1), [last]]
        : [group];
    });
  }

  #sentenceBefore(at: number): string {
    const near = textBefore(this.#text, at, LONGEST.sentence);
    const stop = Array.from(near.matchAll(STOP)).at(-1);
    return near.slice(stop ? stop.index + 1 : 0).trimStart();
  }

  /** Up to the next thing named or the end of the sentence. */
  #rest(from: number, to: number, isFirst: boolean): string {
    const near = this.#text.slice(from, Math.min(to, from + LONGEST.sentence));
    // A letter as the label of one or two words, as in `A. Incorrect.`.
    const labelled = isFirst ? /^[.):] ((?:[A-Za-z]+ ?){1,2})[.!;\n]/.exec(`${near}\n`)?.[1] : undefined;
    if (labelled) return labelled;
    const stop = near.search(STOP);
    return stop < 0 ? near : near.slice(0, stop);
  }
}

/** True for what follows a letter as the text of its choice, whichever choice that reads like: `(D) option B in the image`. */
function isOwnText(letter: Mention, between: string, next: Mention): boolean {
  const isText = letter.by === 'bracket' ? next.by !== 'bracket' : letter.by === 'letter' && next.by === 'words';
  return isText && /^(?:[\s:.)\u2013-]{0,3}|[\s:.]{1,2}(?:option|choice|figure|point|picture|image) )$/i.test(between);
}

/** A stop parts two choices, unless they are listed with their texts: `(A) red. (B) blue.` */
function isTogether(between: string, open: readonly Mention[], next: Mention): boolean {
  const last = open.at(-1) as Mention;
  // What may stand between two choices that are named together, and between a letter and the text of its choice.
  const together =
    /^(?:[\s,;/&:.()[\]|+\u3001*-]|and|or|both|either|options?|choices?|maybe|perhaps|possibly|和|或|与|と|か)*$/i;
  if (!together.test(between)) return false;
  if (last.letter === next.letter) return true;
  if (open.some(({ letter }) => letter === next.letter)) return false;
  return !/[.;](?:\s|$)/.test(between) || (last.hasText === true && next.by !== 'words');
}

const STOP = /[.!?;](?=\s)|\n/g;

const PARTS = {
  /** Where choices are read apostrophes are gone. */
  not: "(?:not(?! (?:only|just|sure|certain|because|to mention))|(?:is|are|was|were|do|does|did|ca|could|would|should|has|have|wo|ai|must)n'?t|cannot|can not|never|neither|nor)",
  /** Up to three words that begin no new statement. */
  filler: String.raw`(?:(?:(?!(?:but|is|it|its|it's|so|thus|hence|therefore)\b)[A-Za-z]+ ){0,3})`,
};

const SAYS = {
  /** What stands right before something that is denied: `not`, `rather than`, `we rule out`. */
  deniesNext: new RegExp(
    [
      `(?:^|[^A-Za-z])(?:${PARTS.not}|rather than|instead of|as opposed to|other than|anything but|except(?: for)?|unlike`,
      `|(?:rul|eliminat|exclud|discard|reject|dismiss)(?:e|es|ed|ing|s)?(?: out)?) ${PARTS.filler}[^A-Za-z.;!?]{0,4}$`,
      `|(?:^|[^A-Za-z])(?:over|wrong|incorrect|false):? [^A-Za-z.;!?]{0,4}$`,
      String.raw`|(?:不是|不选|不選|排除|而非|并非|並非|不能选)[^A-Za-z\u4e00-\u9fff]{0,4}(?:选项|選項)?[^A-Za-z]{0,2}$`,
    ].join(''),
    'i',
  ),
  /** What follows something that is denied: `is wrong`, `do not match`, `: no`, `can be ruled out`. */
  denied: new RegExp(
    [
      String.raw`^[\s,:)]{0,4}(?:(?:option|choice|answer)s? )?(?:(?!but\b|and\b|so\b|because\b|since\b|as\b|it\b|there\b)[A-Za-z]+ ){0,3}?`,
      '(?:(?:is|are|was|were|be|being|seems?|looks?|has|have|do|does|did|can|could|would|will|may|might) ?(?:all |also |both |clearly |then |therefore |thus |simply |just |definitely |each |obviously |far |much ){0,2}',
      String.raw`(?:n'?t\b|not\b(?! (?:only|just))|never\b|too\b|in?correct|wrong|false|invalid|impossible|implausible|irrelevant|inaccurate|out\b|no\b|(?:be )?(?:ruled|eliminated|excluded|discarded|rejected|dismissed|ruled out)\b|(?:a |the )?(?:common |wrong |incorrect )?(?:distractor|mistake|error|trap)\b|unlikely\b)`,
      String.raw`|(?:(?:is|are|was|were|does|do|did|ca|could|wo)n'?t|cannot)\b|none (?:of (?:them|these|which) )?(?:match|fit|work|appl|is|are)|fails?\b|contradicts?\b)`,
      String.raw`|^[\s,:(\u2013-]{0,4}(?:no|wrong|incorrect|false|x|eliminated|ruled out|not (?:correct|right|it|this|true|shown|possible)|too (?:small|large|big|low|high|short|long|many|few))(?![A-Za-z])`,
      String.raw`|^[\s:]{0,3}[\u2717\u2718\u274c\u00d7]`,
      String.raw`|^[\s,]{0,3}(?:选项|選項|项|項)?[\s,]{0,2}(?:都|均|是|也|明显|显然)?(?:不对|不對|错|錯|不正确|不正確|不符|不成立|排除|有误|有誤|不合)|^\s{0,2}不是`,
    ].join(''),
    'i',
  ),
  /** `All but B are wrong`, `nothing except B fits`. */
  allBut:
    /\b(all|every(?:thing| option| choice)?|none|nothing|no (?:other )?(?:option|choice))(?: of them)? (?:but|except(?: for)?|other than) (?:for )?(?:option |choice )?[^A-Za-z]{0,3}$/i,
  /** What follows something that is concluded: `is correct`, `is the answer`. */
  concluded: new RegExp(
    [
      String.raw`^[\s,:)]{0,4}(?:(?:option|choice|answer) )?(?:is|are|must be|seems|would be|:) ?(?:indeed |clearly |therefore |thus |definitely |also |the only )?(?:the )?(?:only )?(?:best |most )?`,
      String.raw`(?:correct|right|true|answer|yes|choice that|option that|one that|remaining|accurate|suitable|appropriate|best)\b`,
      String.raw`|^[\s:(]{0,4}(?:yes|correct|right|true)(?![A-Za-z])`,
      String.raw`|^[\s:(]{0,3}[\u2713\u2714\u2705]`,
      String.raw`|^\s{0,2}(?:选项|選項|项|項)?(?:才)?(?:是对的|是對的|正确|正確|是正确|是正確|符合|对|對)`,
      String.raw`|^\s{0,2}が正し`,
    ].join(''),
    'i',
  ),
  /** What stands at the start of a sentence that draws the conclusion, or right before what is chosen. */
  concludes:
    /^[^A-Za-z\u4e00-\u9fff]{0,4}(?:so|thus|hence|therefore|consequently|accordingly|finally|in conclusion|in summary|overall|because of this|this (?:means|shows|leaves)|that leaves|which leaves|it (?:must|has to) be|it is (?:definitely|clearly|therefore)|actually|answer|final answer|所以|因此|故|综上|綜上|只有|よって|したがって)(?![A-Za-z])/i,
  chosenNext:
    /(?:\b(?:I|we)(?: will|'ll|'d| would| can| must)? (?:choose|chose|pick|select|go with|conclude|say|answer)|\b(?:must|has to|have to) be|\bleaves(?: us with| only)?|\b(?:correct|right|best|final) (?:answer|option|choice|one) (?:is|must be|would be)|选择|選擇|应选|應選|故选|故選|选|選)[^A-Za-z]{0,4}(?:(?:option|choice|letter|the) )?[^A-Za-z]{0,3}$/i,
};

/**
 * The stance of the sentence towards what stands between `before` and `after`.
 * @param sentence the sentence up to there
 * @param before what stands since the thing named before it
 * @param after what follows up to the next thing that is named or the end of the sentence
 */
export function stanceOf(sentence: string, before: string, after: string): Stance {
  const [left, right] = [before.slice(-LONGEST.near), after.slice(0, LONGEST.near)];
  const all = SAYS.allBut.exec(left)?.[1];
  if (all) return /^(?:all|every)/i.test(all) === SAYS.denied.test(right) ? 'concluded' : 'denied';
  if (SAYS.deniesNext.test(left) || SAYS.denied.test(right)) return 'denied';
  if (SAYS.concluded.test(right) || SAYS.chosenNext.test(left)) return 'concluded';
  return SAYS.concludes.test(sentence.slice(0, LONGEST.near)) ? 'drawn' : 'mentioned';
}
