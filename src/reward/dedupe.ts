// When two responses count as the same one (P7, P10).

/** Keeps the first of each text, compared after `normaliseText`; the order stays. */
export function dedupe<T extends { readonly text: string }>(responses: readonly T[]): T[] {
  const seen = new Set<string>();
  return responses.filter(({ text }) => {
    const key = normaliseText(text);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** Text by which two responses count as the same: Unicode NFC, runs of white space as one space, none at the ends. */
export function normaliseText(text: string): string {
  return text.normalize('NFC').replace(/\s+/g, ' ').trim();
}
