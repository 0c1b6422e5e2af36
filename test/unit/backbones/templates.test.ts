// Conversations as MiniCPM-Llama3-V-2.5 and Phi-3.5-vision write them, several turns, system messages and blanks; new weights.
import { describe, expect, test } from 'vitest';
import type { Backbone, Content, Conversation } from '../../../src/backbones/backbone.js';
import { backbone as minicpm } from '../../../src/backbones/minicpm.js';
import { backbone as phi3v } from '../../../src/backbones/phi3v.js';
import type { PictureLayout } from '../../../src/text/prompt.js';
import { promptText } from '../../../tools/golden/prompts.js';
import { initialOf } from '../../../tools/initial.js';

const written = ({ render }: Backbone, conversation: Conversation) =>
  render(conversation)
    .map((part) => ('special' in part ? part.special : 'text' in part ? part.text : `{${part.image}}`))
    .join('');
const user = (...content: Content) => ({ role: 'user', content }) as const;
const assistant = (...content: Content) => ({ role: 'assistant', content }) as const;

describe('MiniCPM-Llama3-V-2.5', () => {
  const header = (role: string) => `<|start_header_id|>${role}<|end_header_id|>\n\n`;
  const turn = (role: string, text: string) => `${header(role)}${text}<|eot_id|>`;

  test('several turns have one begin mark, and no system message of their own', () => {
    const turns = [user({ image: 0 }, { text: '\nQ1' }), assistant({ text: 'A1' }), user({ text: 'Q2' })];
    expect(written(minicpm, { turns })).toBe(
      `<|begin_of_text|>${turn('user', '{0}\nQ1')}${turn('assistant', 'A1')}${turn('user', 'Q2')}${header('assistant')}`,
    );
  });

  test('every content is stripped at its ends as Python strips it, pictures being none', () => {
    const content = (...parts: Content) =>
      written(minicpm, { turns: [user(...parts)] }).slice(
        `<|begin_of_text|>${header('user')}`.length,
        -`<|eot_id|>${header('assistant')}`.length,
      );
    expect(content({ text: ' \n' }, { text: '\t a' }, { text: ' ' }, { image: 0 }, { text: ' ' })).toBe('a {0}');
    expect(content({ text: ' a ' }, { text: ' b ' })).toBe('a  b');
    expect(content({ image: 0 }, { text: '\n' }, { image: 1 })).toBe('{0}\n{1}');
    expect(content({ text: '  ' })).toBe('');
    // The separators of ASCII and U+0085 are blanks in Python alone, U+FEFF in JavaScript alone.
    expect(content({ text: '\x1c\x85a\x1f' })).toBe('a');
    expect(content({ text: '\ufeffa\ufeff' })).toBe('\ufeffa\ufeff');
    expect(written(minicpm, { system: ' S ', turns: [] })).toContain(turn('system', 'S'));
  });

  test('a question has its pictures before it, a line each', () => {
    expect(minicpm.ask('Q', 0)).toEqual([{ text: 'Q' }]);
    expect(minicpm.ask('Q', 2)).toEqual([{ image: 0 }, { text: '\n' }, { image: 1 }, { text: '\n' }, { text: 'Q' }]);
  });

  test('a sliced picture spelt out: an overview, and rows of cells on lines', () => {
    const layouts: PictureLayout[] = [{ cols: 3, rows: 2, tiles: 7, tokens: 14 }];
    const block = '<image><unk><unk></image>';
    expect(promptText([{ image: 0 }], minicpm, layouts)).toBe(
      `${block}<slice>${block.repeat(3)}\n${block.repeat(3)}</slice>`,
    );
  });
});

describe('Phi-3.5-vision', () => {
  test('several turns: a newline after the marks of user and system, none after that of the assistant', () => {
    const turns = [user({ image: 0 }, { text: '\nQ1' }), assistant({ text: 'A1' }), user({ text: 'Q2' })];
    expect(written(phi3v, { system: 'S', turns })).toBe(
      '<s><|system|>\nS<|end|>\n<|user|>\n{0}\nQ1<|end|>\n<|assistant|>A1<|end|>\n<|user|>\nQ2<|end|>\n<|assistant|>',
    );
  });

  test('an answer loses the white space that the mark before it swallows in the reference', () => {
    const answer = (...content: Content) => written(phi3v, { turns: [assistant(...content)] });
    expect(answer({ text: '\n A ' })).toBe('<s><|assistant|>A <|end|>\n<|assistant|>');
    expect(answer({ text: ' \n' }, { text: ' A' })).toBe('<s><|assistant|>A<|end|>\n<|assistant|>');
    expect(answer({ text: '  ' })).toBe('<s><|assistant|><|end|>\n<|assistant|>');
    expect(answer({ image: 0 }, { text: ' A' })).toBe('<s><|assistant|>{0} A<|end|>\n<|assistant|>');
  });

  test('a question keeps its own blanks', () => {
    expect(written(phi3v, { turns: [user({ text: ' Q ' })] })).toBe('<s><|user|>\n Q <|end|>\n<|assistant|>');
  });

  test('a picture spelt out is its tokens and a begin mark', () => {
    expect(promptText([{ image: 0 }, { text: '\n' }], phi3v, [{ cols: 1, rows: 1, tiles: 2, tokens: 3 }])).toBe(
      '<|image|><|image|><|image|><s>\n',
    );
  });

  test('is told by model_type or architectures', () => {
    expect(phi3v.accepts({ model_type: 'phi3_v' })).toBe(true);
    expect(phi3v.accepts({ architectures: ['Phi3VForCausalLM'] })).toBe(true);
    expect(phi3v.accepts({ model_type: 'phi3', architectures: ['Phi3ForCausalLM'] })).toBe(false);
    expect(phi3v.accepts({})).toBe(false);
  });
});

describe('marks', () => {
  test.each([minicpm, phi3v])('$name: what begins, ends and stops is among its special strings', (backbone) => {
    for (const mark of [backbone.begin, backbone.endOfTurn, ...backbone.stops])
      expect(backbone.specials).toContain(mark);
    expect(backbone.stops[0]).toBe(backbone.endOfTurn);
    expect(backbone.specials).not.toContain(backbone.placeholder);
  });
});

describe('new weights: biases and separators 0, norms 1, matrices normal and smaller where layers add up', () => {
  const sizes = { v_layers: 8, l_layers: 2 };
  const constants: readonly (readonly [Backbone, string, number[], number])[] = [
    [minicpm, 'resampler.ln_q.weight', [8], 1],
    [minicpm, 'resampler.attn.in_proj_bias', [8], 0],
    [minicpm, 'vpm.encoder.layers.0.mlp.fc1.bias', [8], 0],
    [phi3v, 'model.vision_embed_tokens.glb_GN', [1, 1, 8], 0],
    [phi3v, 'model.vision_embed_tokens.sub_GN', [1, 1, 1, 8], 0],
    [phi3v, 'model.norm.weight', [8], 1],
    [phi3v, 'model.vision_embed_tokens.img_projection.0.bias', [8], 0],
  ];
  test.each(constants)('$0.name $1', (backbone, name, shape, constant) => {
    expect(initialOf(backbone, name, shape, sizes)).toEqual({ constant });
  });

  const tower = 'model.vision_embed_tokens.img_processor.vision_model.';
  const normals: readonly (readonly [Backbone, string, number[], number])[] = [
    [minicpm, 'llm.model.embed_tokens.weight', [100, 2048], 0.02],
    [minicpm, 'resampler.query', [96, 2048], 0.02],
    [minicpm, 'llm.model.layers.0.mlp.gate_proj.weight', [8, 512], 0.04],
    [minicpm, 'llm.model.layers.0.mlp.down_proj.weight', [8, 2048], 0.01],
    [minicpm, 'vpm.encoder.layers.0.self_attn.out_proj.weight', [8, 2048], 0.005],
    [minicpm, 'vpm.embeddings.patch_embedding.weight', [8, 2, 16, 64], 0.02],
    [phi3v, 'model.embed_tokens.weight', [100, 3072], 0.02],
    [phi3v, `${tower}embeddings.class_embedding`, [3072], 0.02],
    [phi3v, `${tower}embeddings.patch_embedding.weight`, [8, 3, 32, 32], 0.02],
    [phi3v, 'model.layers.1.mlp.down_proj.weight', [8, 3072], 0.01],
    [phi3v, `${tower}encoder.layers.0.mlp.fc2.weight`, [8, 3072], 0.005],
  ];
  test.each(normals)('$0.name $1', (backbone, name, shape, normal) => {
    expect((initialOf(backbone, name, shape, sizes) as { normal: number }).normal).toBeCloseTo(normal, 12);
  });
});
