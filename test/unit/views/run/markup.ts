// Looks at a page as text: its tags, whether they are closed in order, what a pattern finds.

export const TAG = /<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+(?:="[^"]*")?)*)\s*>/g;

/** What the first group of a pattern finds, every time. */
export function matches(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] as string);
}

/** The page without style sheet and doctype: only tags and text. */
export function bodyOf(text: string): string {
  return text.replace(/<style>[\s\S]*?<\/style>/, '').replace(/^<!doctype html>/, '');
}

/** Marks that belong to no whole tag, and tags that are closed in another order than they were opened. */
export function faultsOf(text: string): string[] {
  const open: string[] = [];
  const faults = matches(bodyOf(text).replace(TAG, ''), /(.{0,30}[<>].{0,30})/g);
  for (const [tag, close, name] of bodyOf(text).matchAll(TAG)) {
    if (/^(meta|link|img|hr|br)$/.test(name as string)) continue;
    if (close === '') open.push(name as string);
    else if (open.pop() !== name) faults.push(tag);
  }
  return [...faults, ...open];
}
