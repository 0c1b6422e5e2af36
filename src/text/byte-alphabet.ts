// The alphabet of byte-level vocabularies: one visible character for each of the 256 bytes.

/** Printable Latin-1 bytes stand for themselves, the others for the characters from U+0100 on, in order. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const visible = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    return String.fromCharCode(visible ? byte : next++);
  });
})();
const bytes: ReadonlyMap<string, number> = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]));

/** The UTF-8 bytes of `text`, a character each. */
export function toByteCharacters(text: string): string {
  let mapped = '';
  for (const byte of Buffer.from(text, 'utf8')) mapped += BYTE_CHARACTERS[byte];
  return mapped;
}

/** The bytes that a piece stands for; a piece with other characters in it stands for its own text. */
export function fromByteCharacters(piece: string): Uint8Array {
  const found: number[] = [];
  for (const character of piece) {
    const byte = bytes.get(character);
    if (byte === undefined) return Buffer.from(piece, 'utf8');
    found.push(byte);
  }
  return Uint8Array.from(found);
}
