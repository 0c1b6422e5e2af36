// Golden folders of Qwen3-VL: laid out as those of Qwen2.5-VL, with stages of their own among the same.
export { layout } from './qwen2_5_vl.js';
