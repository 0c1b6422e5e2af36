// Says what a sentence does with something that it names: concludes it, denies it, or merely mentions it.
// Looks only at the words right before and right after; leaves finding names to choice.ts.

/** `drawn`: named in a sentence that begins as a conclusion does (`So ...`), which may say more than that. */
export type Stance = 'concluded' | 'drawn' | 'mentioned' | 'denied';

/** Longest stretch on either side that is looked at. UTF-16 units. */
const NEAR = 96;

// Where choices are read apostrophes are gone.
const NOT =
  "(?:not(?! (?:only|just|sure|certain|because|to mention))|(?:is|are|was|were|do|does|did|ca|could|would|should|has|have|wo|ai|must)n'?t|cannot|can not|never|neither|nor)";
/** Up to three words that begin no new statement. */
const FILLER = String.raw`(?:(?:(?!(?:but|is|it|its|it's|so|thus|hence|therefore)\b)[A-Za-z]+ ){0,3})`;

/** What stands right before something that is denied: `not`, `rather than`, `we rule out`. */
const DENIES_NEXT = new RegExp(
  [
    `(?:^|[^A-Za-z])(?:${NOT}|rather than|instead of|as opposed to|other than|anything but|except(?: for)?|unlike`,
    `|(?:rul|eliminat|exclud|discard|reject|dismiss)(?:e|es|ed|ing|s)?(?: out)?) ${FILLER}[^A-Za-z.;!?]{0,4}$`,
    `|(?:^|[^A-Za-z])(?:over|wrong|incorrect|false):? [^A-Za-z.;!?]{0,4}$`,
    String.raw`|(?:不是|不选|不選|排除|而非|并非|並非|不能选)[^A-Za-z\u4e00-\u9fff]{0,4}(?:选项|選項)?[^A-Za-z]{0,2}$`,
  ].join(''),
  'i',
);

/** What follows something that is denied: `is wrong`, `do not match`, `: no`, `can be ruled out`. */
const DENIED = new RegExp(
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
);

/** `All but B are wrong`, `nothing except B fits`. */
const ALL_BUT =
  /\b(all|every(?:thing| option| choice)?|none|nothing|no (?:other )?(?:option|choice))(?: of them)? (?:but|except(?: for)?|other than) (?:for )?(?:option |choice )?[^A-Za-z]{0,3}$/i;

/** What follows something that is concluded: `is correct`, `is the answer`. */
const CONCLUDED = new RegExp(
  [
    String.raw`^[\s,:)]{0,4}(?:(?:option|choice|answer) )?(?:is|are|must be|seems|would be|:) ?(?:indeed |clearly |therefore |thus |definitely |also |the only )?(?:the )?(?:only )?(?:best |most )?`,
    String.raw`(?:correct|right|true|answer|yes|choice that|option that|one that|remaining|accurate|suitable|appropriate|best)\b`,
    String.raw`|^[\s:(]{0,4}(?:yes|correct|right|true)(?![A-Za-z])`,
    String.raw`|^[\s:(]{0,3}[\u2713\u2714\u2705]`,
    String.raw`|^\s{0,2}(?:选项|選項|项|項)?(?:才)?(?:是对的|是對的|正确|正確|是正确|是正確|符合|对|對)`,
    String.raw`|^\s{0,2}が正し`,
  ].join(''),
  'i',
);

/** What stands at the start of a sentence that draws the conclusion, or right before what is chosen. */
const CONCLUDES =
  /^[^A-Za-z\u4e00-\u9fff]{0,4}(?:so|thus|hence|therefore|consequently|accordingly|finally|in conclusion|in summary|overall|because of this|this (?:means|shows|leaves)|that leaves|which leaves|it (?:must|has to) be|it is (?:definitely|clearly|therefore)|actually|answer|final answer|所以|因此|故|综上|綜上|只有|よって|したがって)(?![A-Za-z])/i;
const CHOSEN_NEXT =
  /(?:\b(?:I|we)(?: will|'ll|'d| would| can| must)? (?:choose|chose|pick|select|go with|conclude|say|answer)|\b(?:must|has to|have to) be|\bleaves(?: us with| only)?|\b(?:correct|right|best|final) (?:answer|option|choice|one) (?:is|must be|would be)|选择|選擇|应选|應選|故选|故選|选|選)[^A-Za-z]{0,4}(?:(?:option|choice|letter|the) )?[^A-Za-z]{0,3}$/i;

/**
 * The stance of the sentence towards what stands between `before` and `after`.
 * @param sentence the sentence up to there
 * @param before what stands since the thing named before it
 * @param after what follows up to the next thing that is named or the end of the sentence
 */
export function stanceOf(sentence: string, before: string, after: string): Stance {
  const [left, right] = [before.slice(-NEAR), after.slice(0, NEAR)];
  const all = ALL_BUT.exec(left)?.[1];
  if (all) return /^(?:all|every)/i.test(all) === DENIED.test(right) ? 'concluded' : 'denied';
  if (DENIES_NEXT.test(left) || DENIED.test(right)) return 'denied';
  if (CONCLUDED.test(right) || CHOSEN_NEXT.test(left)) return 'concluded';
  return CONCLUDES.test(sentence.slice(0, NEAR)) ? 'drawn' : 'mentioned';
}
