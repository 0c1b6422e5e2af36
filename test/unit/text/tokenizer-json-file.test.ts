// The forms that a tokenizer.json may have, and what is refused: always the file and the field that is wrong.
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/core/errors.js';
import type { SpecialTokens } from '../../../src/text/special-tokens.js';
import { loadTokenizerJson } from '../../../src/text/tokenizer-json.js';
import { byteLevelDocument, fileOf, textPiecesDocument } from '../../fakes/tokenizer-json.js';

// biome-ignore lint/suspicious/noExplicitAny: documents are changed at places whose type does not matter.
type Document = any;
const merges = [
  ['a', 'b'],
  ['ab', 'c'],
] as const;
const bytes = (): Document => byteLevelDocument({ merges, added: ['<end>', { content: '<shown>', special: false }] });
const pieces = (): Document => textPiecesDocument({ merges, added: ['<end>'] }, 'abc');
const load = (document: Document, specials: SpecialTokens = new Map()) =>
  loadTokenizerJson(fileOf(document), specials, 'd/tokenizer.json');
const changed = (document: Document, change: (document: Document) => void): Document => {
  change(document);
  return document;
};
const ids = (document: Document, text: string) => [...load(document).encode(text)];

describe('forms', () => {
  test('merges may be pairs instead of one text, and begin with a line of their version', () => {
    const wanted = ids(bytes(), 'abcab');
    expect(wanted).toEqual([257, 256]);
    const asPairs = (d: Document) => (d.model.merges = d.model.merges.map((merge: string) => merge.split(' ')));
    expect(ids(changed(bytes(), asPairs), 'abcab')).toEqual(wanted);
    const versioned = (d: Document) => d.model.merges.unshift('#version: 0.2');
    expect(ids(changed(bytes(), versioned), 'abcab')).toEqual(wanted);
  });

  test('what does not say anything about ids is not looked at', () => {
    const more = (d: Document) =>
      Object.assign(d, {
        truncation: { max_length: 3 },
        padding: { length: 9 },
        post_processor: { type: 'TemplateProcessing', single: [] },
        anything: 1,
      });
    expect(ids(changed(bytes(), more), 'abcab')).toEqual([257, 256]);
  });

  test('no added tokens, no normaliser and absent flags are fine', () => {
    const bare = (d: Document) => {
      for (const field of ['added_tokens', 'normalizer']) delete d[field];
      for (const field of ['ignore_merges', 'byte_fallback']) delete d.model[field];
    };
    expect(ids(changed(bytes(), bare), 'abc')).toEqual([257]);
  });

  test('the space that was put in front is taken away where the decoder says so', () => {
    expect(load(pieces()).decode(load(pieces()).encode('ab c')).text).toBe('ab c');
    const kept = changed(pieces(), (d) => d.decoder.decoders.pop());
    expect(load(kept).decode(load(kept).encode('ab c')).text).toBe(' ab c');
    const none = changed(pieces(), (d) => (d.decoder.decoders[3].start = 0));
    expect(load(none).decode(load(none).encode('ab c')).text).toBe(' ab c');
  });

  test('a space taken away moves where tokens end', () => {
    const { text, ends } = load(pieces()).decode(load(pieces()).encode('ab c'));
    expect(text).toBe('ab c');
    expect([...ends]).toEqual([0, 2, 3, 4]);
  });

  test('tokens that only other files name are added; those of the file keep its flags', () => {
    const own = load(bytes(), new Map([['<other>', { id: 300, hidden: true }]]));
    expect(own.size).toBe(301);
    expect([...own.encode('a<other>', { specials: true })]).toEqual([...own.encode('a'), 300]);
    expect([...own.encode('<other>')]).not.toContain(300);
    expect(own.decode([300]).text).toBe('');
    const shown = load(bytes(), new Map([['<shown>', { id: 259, hidden: true }]]));
    expect(shown.decode([259]).text).toBe('<shown>');
  });

  test('a character that a file names as its padding stays text', () => {
    const padded = changed(bytes(), (d) =>
      d.added_tokens.push({ ...d.added_tokens[0], id: d.model.vocab['!'], content: '!' }),
    );
    expect(load(padded).decode([...'a!b'].map((c) => padded.model.vocab[c])).text).toBe('a!b');
  });
});

describe('decoding', () => {
  const euro = [0xe2, 0x82, 0xac];
  test('a token without text between the bytes of a character does not cut it', () => {
    const id = (byte: number) => 3 + byte;
    const end = load(pieces()).idOf('<end>') as number;
    const [first, ...rest] = euro.map(id) as [number, number, number];
    const { text, ends } = load(pieces()).decode([first, end, 5000, ...rest]);
    expect(text).toBe('€');
    expect([...ends]).toEqual([0, 0, 0, 0, 1]);
  });

  test('bytes that never become a character are marked once for each sequence that is cut short', () => {
    const text = (...all: number[]) => load(pieces()).decode(all.map((byte) => 3 + byte)).text;
    expect(text(0xe2, 0x82)).toBe('\ufffd');
    expect(text(0xe2, 0x82, 0x41)).toBe('\ufffdA');
    expect(text(0xff, 0xfe)).toBe('\ufffd\ufffd');
    expect(text(0xef, 0xbb, 0xbf, 0x41)).toBe('\ufeffA');
  });
});

describe('refusals', () => {
  const vocabulary = (d: Document) => d.model.vocab;
  const refused: readonly (readonly [string, Document, string])[] = [
    ['an array', [], 'd/tokenizer.json'],
    ['another version', changed(bytes(), (d) => (d.version = '2.0')), 'version: "2.0", wanted "1.0"'],
    [
      'another decoder',
      changed(bytes(), (d) => (d.decoder = { type: 'WordPiece' })),
      'decoder.type: "WordPiece", wanted ByteLevel or Sequence',
    ],
    [
      'a decoder of the other kind',
      changed(bytes(), (d) => (d.decoder = pieces().decoder)),
      'decoder.type: Sequence, wanted ByteLevel, as in pre_tokenizer',
    ],
    [
      'byte-level decoding alone',
      changed(pieces(), (d) => (d.decoder = { type: 'ByteLevel' })),
      'decoder.type: ByteLevel, wanted Sequence, without ByteLevel in pre_tokenizer',
    ],
    [
      'no way to write unknown characters',
      changed(pieces(), (d) => (d.model.byte_fallback = false)),
      'model.byte_fallback: false, wanted true',
    ],
    ['a missing byte piece', changed(pieces(), (d) => delete vocabulary(d)['<0x0A>']), 'model.vocab: no <0x0A>'],
    ['a missing byte character', changed(bytes(), (d) => delete vocabulary(d).Ġ), 'model.vocab: no Ġ'],
    ['a negative id', changed(bytes(), (d) => (vocabulary(d).abc = -1)), 'model.vocab."abc": -1, wanted an id below'],
    ['an id that is a text', changed(bytes(), (d) => (vocabulary(d).abc = '7')), 'model.vocab."abc": "7"'],
    ['a huge id', changed(bytes(), (d) => (vocabulary(d).abc = 2 ** 24)), 'model.vocab."abc": 16777216'],
    ['a vocabulary that is a list', changed(bytes(), (d) => (d.model.vocab = [])), 'model.vocab: '],
    ['no vocabulary', changed(bytes(), (d) => delete d.model.vocab), 'model.vocab: '],
    ['merges that are a text', changed(bytes(), (d) => (d.model.merges = 'a b')), 'model.merges: '],
    [
      'a merge of three',
      changed(bytes(), (d) => (d.model.merges[1] = 'a b c')),
      'model.merges.1: "a b c", wanted two pieces that make a third',
    ],
    ['a merge that is a number', changed(bytes(), (d) => (d.model.merges[0] = 5)), 'model.merges.0: 5, wanted two'],
    [
      'a merge whose result is missing',
      changed(bytes(), (d) => (d.model.merges[0] = ['b', 'a'])),
      'model.merges.0: ["b","a"]',
    ],
    ['a mark before pieces', changed(bytes(), (d) => (d.model.continuing_subword_prefix = '##')), 'continuing_subword'],
    ['a mark after words', changed(bytes(), (d) => (d.model.end_of_word_suffix = '</w>')), 'end_of_word_suffix'],
    [
      'whole words only',
      changed(bytes(), (d) => (d.added_tokens[0].single_word = true)),
      'added_tokens.0.single_word: true, wanted false',
    ],
    ['an empty token', changed(bytes(), (d) => (d.added_tokens[0].content = '')), 'added_tokens.0.content'],
    [
      'two tokens with one id',
      changed(bytes(), (d) => (d.added_tokens[1].id = d.added_tokens[0].id)),
      'added_tokens.1: "<shown>" with id 258, wanted one id for it and one text for the id',
    ],
    [
      'a token with the id of a piece',
      changed(bytes(), (d) => (d.added_tokens[0].id = 256)),
      'added_tokens.0: "<end>" with id 256',
    ],
    [
      'a step that depends on what stood before',
      changed(pieces(), (d) => {
        d.pre_tokenizer = { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'first' };
      }),
      'pre_tokenizer.prepend_scheme: "first"',
    ],
    [
      'an expression of another dialect',
      changed(bytes(), (d) => (d.pre_tokenizer.pretokenizers[0].pattern.Regex = 'a|\\h')),
      'pre_tokenizer.pretokenizers.0.pattern.Regex: "a|\\\\h", wanted an expression without what stands at its character 3',
    ],
    [
      'matches that are thrown away',
      changed(bytes(), (d) => (d.pre_tokenizer.pretokenizers[0].behavior = 'Removed')),
      'pretokenizers.0.behavior: "Removed", wanted "Isolated"',
    ],
    [
      'a normaliser within a sequence',
      changed(pieces(), (d) => d.normalizer.normalizers.push({ type: 'NFKC' })),
      'normalizer.normalizers.2.type: "NFKC", wanted NFC, Prepend or Replace',
    ],
  ];
  test.each(refused)('%s', (_, document, message) => {
    const open = () => load(document);
    expect(open).toThrow(UserError);
    expect(open).toThrow(/^d\/tokenizer\.json: [^\n]+$/);
    expect(open).toThrow(message);
  });

  test('tokens of other files that contradict the file', () => {
    const other = (name: string, id: number) => () => load(bytes(), new Map([[name, { id, hidden: true }]]));
    expect(other('<end>', 400)).toThrow('d/tokenizer.json: added_tokens.2: "<end>" with id 400');
    expect(other('<new>', 258)).toThrow('added_tokens.2: "<new>" with id 258');
  });

  test('a key that is there twice', () => {
    const twice = Buffer.from(fileOf(bytes())).toString().replace('"version":', '"version":"2","version":');
    expect(() => loadTokenizerJson(Buffer.from(twice), new Map(), 'd/tokenizer.json')).toThrow(
      'd/tokenizer.json:1: "version": given twice, wanted once',
    );
  });

  test('bytes that are no UTF-8, and files cut anywhere', () => {
    expect(() => loadTokenizerJson(Uint8Array.of(0x22, 0xff, 0x22), new Map(), 'd/tokenizer.json')).toThrow(
      'bytes that are not UTF-8, wanted JSON',
    );
    const file = fileOf(pieces());
    for (let end = 0; end < file.length; end += 97)
      expect(() => loadTokenizerJson(file.subarray(0, end), new Map(), 'd/tokenizer.json')).toThrow(
        /^d\/tokenizer\.json(:\d+)?: document: [^\n]+, wanted JSON$/,
      );
  });
});
