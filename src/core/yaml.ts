// Reads YAML of unknown origin as plain data that is safe to walk: a tree of bounded depth in which no value contains
// itself.
import { type Document, Lexer, type LineCounter, Parser, parseDocument } from 'yaml';
import { UserError } from './errors.js';

const DEEPEST = 100;
/** Times that names of values may be followed; the library counts what they hold. */
const MOST_ALIASES = 20;

/**
 * The value of a YAML text.
 * @param place `file` or `file:line`, for the message
 * @param field what the text is
 * @throws UserError `place: field: found, wanted`
 */
export function readYaml(text: string, place: string, field = 'settings'): unknown {
  return readDocument(text, place, field).value;
}

/** As `readYaml`, with the nodes of the text. */
export function readDocument(
  text: string,
  place: string,
  field: string,
  lineCounter?: LineCounter,
): { readonly value: unknown; readonly document: Document.Parsed } {
  const refuse = (at: string, fault: string): never => {
    throw new UserError(`${at}: ${field}: ${fault}`);
  };
  // The library calls itself for each level; an overflow inside a regular expression would end the process.
  if (isDeep(text)) refuse(place, `more than ${DEEPEST} levels, wanted plain values`);
  const document = parseDocument(text, { prettyErrors: false, stringKeys: true, ...(lineCounter && { lineCounter }) });
  const [failure] = document.errors;
  if (failure) {
    const line = lineCounter?.linePos(failure.pos[0]).line;
    const reason = failure.message.split('\n')[0];
    refuse(line === undefined ? place : `${place}:${line}`, `${reason}, wanted valid YAML`);
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MOST_ALIASES });
  } catch (error) {
    const { message } = error as Error;
    refuse(place, /^Excessive/.test(message) ? 'too many aliases, wanted fewer' : `${message}, wanted valid YAML`);
  }
  if (holdsItself(value, new Set(), new Set())) refuse(place, 'a value that holds itself, wanted plain values');
  return { value, document };
}

function isDeep(text: string): boolean {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    // Reading on is what fills the stack.
    for (const _ of parser.next(lexeme));
    if (parser.stack.length > DEEPEST) return true;
  }
  return false;
}

function holdsItself(value: unknown, around: Set<unknown>, done: Set<unknown>): boolean {
  if (typeof value !== 'object' || value === null || done.has(value)) return false;
  if (around.has(value)) return true;
  around.add(value);
  const found = Object.values(value).some((inner) => holdsItself(inner, around, done));
  around.delete(value);
  done.add(value);
  return found;
}
