// Writes protocol-buffer fields in wire format: what a SentencePiece model file is made of.

export class Writer {
  private readonly chunks: Uint8Array[] = [];

  private varint(value: number): this {
    const bytes: number[] = [];
    let rest = value;
    while (rest > 127) {
      bytes.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.chunks.push(Uint8Array.from([...bytes, rest]));
    return this;
  }

  /** A non-negative integer or boolean field. */
  integer(field: number, value: number): this {
    return this.varint(field * 8).varint(value);
  }

  float(field: number, value: number): this {
    this.varint(field * 8 + 5).chunks.push(new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }

  text(field: number, value: string): this {
    return this.block(field, new TextEncoder().encode(value));
  }

  message(field: number, value: Writer): this {
    return this.block(field, value.bytes());
  }

  private block(field: number, value: Uint8Array): this {
    this.varint(field * 8 + 2)
      .varint(value.length)
      .chunks.push(value);
    return this;
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.chunks);
  }
}
