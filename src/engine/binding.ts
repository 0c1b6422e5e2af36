// The whole native surface, typed, and its loader; nothing else loads the binary. What crosses it as it is has the types of
// core, text, images and checkpoint.
// Meaning (ranges, names) is checked before calls get here; the addon checks JS types and the engine its invariants.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchLibtorch, prebuilt } from '../../scripts/prebuilt.mjs';
import type { ParameterShape } from '../checkpoint/parameters.js';
import type { StoredDtype, TensorPlan, WeightFile } from '../checkpoint/safetensors.js';
import type { SaveFile } from '../checkpoint/save.js';
import { UserError } from '../core/errors.js';
import type { OptimizerSettings } from '../core/ports.js';
import type { PolicyObjective, Response, RolloutStats, Sampled, Sampling, StepReport } from '../core/types.js';
import type { Picture } from '../images/decode.js';
import type { PictureLayout } from '../text/prompt.js';

export interface RawRequest {
  /** Prompt ids with one image-context id per image token. */
  readonly tokens: Int32Array;
  readonly images: readonly Picture[];
  readonly prefix?: Int32Array;
  readonly n: number;
  readonly key: string;
}
export interface RawExample {
  readonly tokens: Int32Array;
  readonly images: readonly Picture[];
  readonly response: Int32Array;
  /** Step objective only: one label per response token. */
  readonly labels?: Float32Array;
  /** In a training step, what the losses of its tokens are multiplied by; 1 when left out. */
  readonly weight?: number;
  /** Policy objective only. */
  readonly sampled?: Sampled;
}
/** What a training step lowers: cross entropy of responses, squared error of scores, or a clipped policy objective. */
export type Objective = 'response' | 'step' | PolicyObjective;
/** `stop`: a response ends with the first of these ids, which it keeps. */
export type RawSampling = Sampling & { readonly seed: number; readonly stop: Int32Array };
export type RawResponse = Pick<Response, 'tokens' | 'logprobs' | 'finish'>;
export type RawRollout = RolloutStats & { readonly responses: RawResponse[][] };
export interface ModelSpec {
  /** Folder name in native/models and file name in src/backbones. */
  readonly backbone: string;
  /** Flat numbers of the backbone, validated by src/backbones/<name>.ts; the native side reads them by name. */
  readonly config: Readonly<Record<string, number>>;
  readonly weights: readonly WeightFile[];
  readonly device: 'cpu' | 'cuda';
  readonly dtype: 'float32' | 'bfloat16';
  /** Compute threads of the engine. */
  readonly threads: number;
  /** Matrices that low-rank products learn for; everything but a reward head is frozen then. `seed`: draws new ones; otherwise `weights` hold them. */
  readonly adapter?: {
    readonly targets: readonly string[];
    readonly rank: number;
    readonly scale: number;
    readonly seed?: number | undefined;
  };
  /** `none`: a policy. `mean`: new reward head from the mean token embedding. `load`: the checkpoint holds reward_head.{weight,bias}. */
  readonly head: 'none' | 'mean' | 'load';
  /** On a GPU: a response's bits do not depend on what else is in the call, at the cost of full batches throughout. The CPU is always so. */
  readonly deterministic?: boolean;
  /** Bytes that keys and values may take; 0 or left out: half of what is free when a rollout starts, 70 % on a GPU. */
  readonly kvBytes?: number;
  /** Tokens (prompt and response) per micro-batch of training and scoring: bounds their memory, not the meaning of results. */
  readonly tokenBudget: number;
  /** Decoder layers, the first ones, that a backward runs again instead of keeping what they computed, and the vision tower with them. Left
   * out: as many as the memory of a GPU makes necessary, none on a CPU. Changes no bit. */
  readonly recompute?: number;
  /** Whether the optimizer's state lies in the memory of the machine. Left out: as the memory of a GPU makes necessary, never on a CPU. Changes no bit. */
  readonly offload?: boolean;
}
export interface RawOptimizer extends Omit<OptimizerSettings, 'betas' | 'freeze'> {
  readonly beta1: number;
  readonly beta2: number;
  /** Parameter-name prefixes that do not learn. */
  readonly frozen: readonly string[];
}
export interface Inspected {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface NativeModel {
  /** Responses by request and sample; the hooks are called from the event loop while the work goes on. */
  rollout(
    requests: readonly RawRequest[],
    sampling: RawSampling,
    cancel: CancelFlag,
    onResponse: ((request: number, sample: number, response: RawResponse) => void) | null,
    onProgress: ((done: number, total: number, tokens: number) => void) | null,
    onTokens?: ((request: number, sample: number, fresh: RawResponse) => void) | null,
  ): Promise<RawRollout>;
  /** Workers for calls that come one by one. While it is open, what would change or sample the weights by another way rejects. */
  openSession(): Promise<NativeSession>;
  logprobs(examples: readonly RawExample[], temperature?: number): Promise<Float32Array[]>;
  score(examples: readonly RawExample[], at: readonly Uint32Array[]): Promise<Float32Array[]>;
  /** With a group, the ranks of it train this model together: all of them call this, `trainStep`, `save` and `restore`, in the same order. Gives the moments that it keeps, by the names that `save` and `restore` know. */
  setOptimizer(settings: RawOptimizer, group?: NativeGroup): Promise<TensorPlan<StoredDtype>[]>;
  trainStep(batch: readonly RawExample[], objective: Objective): Promise<StepReport>;
  imageLayout(width: number, height: number): PictureLayout;
  /** Tensor names may be parameters, moments (`exp_avg.<parameter>` and others that `setOptimizer` gives), or `merged.<matrix>`: with its adapter added. Written and flushed to disk by rank 0 of a group. */
  save(files: readonly SaveFile[]): Promise<void>;
  /** L2 norms over matrices with adapters: of what these add, and of what rounding to these types takes from the sums. */
  mergeLoss(
    tensors: readonly { readonly name: string; readonly dtype: string }[],
  ): Promise<{ readonly update: number; readonly lost: number }>;
  /** Overwrites parameters and, under the names above, optimizer moments; `version` is the step counter to continue from. */
  restore(files: readonly WeightFile<StoredDtype>[], version: number): Promise<void>;
  /** Every parameter with its shape, in registration order. */
  parameters(): ParameterShape[];
  readonly version: number;
  /** Frees weights, optimizer and caches at once; running work is cancelled first; later calls reject. */
  dispose(): Promise<void>;
}
/** Calls that are computed together, on threads of their own: each begins beside those that are under way. */
export interface NativeSession {
  /** As that of the model. `onTokens` is told of the tokens of a response as they are drawn, but for those that it ends with: these
   * come with the whole of it. Their `finish` means nothing. */
  rollout: NativeModel['rollout'];
  state(): SessionState;
  /** Takes no more calls, and ends when those under way have. */
  close(): Promise<void>;
}
export interface SessionState {
  /** Responses: of prompts that are not begun, and begun but not ended. */
  readonly waiting: number;
  readonly running: number;
  /** Memory for keys and values: held by responses, the most they may hold, and held by prompts that are kept for calls to come. */
  readonly kvBytes: number;
  readonly mostKvBytes: number;
  readonly keptBytes: number;
}
export interface CancelFlag {
  cancel(): void;
  /** Of a call of a session: ends one response, which then comes back without tokens. */
  drop(request: number, sample: number): void;
}
export interface DecoderSizes {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly intermediate: number;
  readonly vocabulary: number;
  /** Response positions whose logits exist at one time in a training step. */
  readonly headChunk: number;
}
/** What only tests, benchmarks and golden checks ask for. */
export interface Checks {
  /** `random`: seed of weights that are drawn on the device instead of read (`weights` is then empty). `decode`: `tensor` decodes by LibTorch operations
   * where the packed float32 executor is the default. `oneGraph`: a backward goes through one graph instead of segments. */
  loadModel(
    spec: ModelSpec,
    how: { readonly random?: number; readonly decode?: 'packed' | 'tensor'; readonly oneGraph?: boolean },
  ): Promise<NativeModel>;
  /** Named intermediate tensors of a plain forward of prompt (+ response). */
  inspect(model: NativeModel, example: RawExample, stages: readonly string[]): Promise<Record<string, Inspected>>;
  /** Gradient of every parameter that the objective's loss on this batch reaches, frozen ones included. */
  gradients(
    model: NativeModel,
    batch: readonly RawExample[],
    objective: Objective,
  ): Promise<{ loss: number; gradients: Record<string, Inspected> }>;
  /** How a batch is cut where `takenBy` takes the micro-batches of a step (native/engine/micro_batch.h): indices of the examples of each. */
  microBatches(
    model: NativeModel,
    batch: readonly RawExample[],
    takenBy: 'all' | 'each',
    budget: number,
  ): Promise<number[][]>;
  /** The policy objective of a whole batch from log-probabilities of its response tokens laid end to end: its loss, its gradient
   * with respect to them, and sums over tokens of what a step reports means of. Blocks. */
  policyLoss(
    logprobs: Float32Array,
    batch: readonly RawExample[],
    objective: PolicyObjective,
  ): { readonly loss: number; readonly gradient: Float32Array } & Required<
    Pick<StepReport, 'clipShare' | 'kl' | 'mismatchMean' | 'mismatchMax'>
  >;
  /** As the model's own, with cuts at multiples of `block` numbers and messages of about `message` bytes. */
  setOptimizer(
    model: NativeModel,
    settings: RawOptimizer,
    group: NativeGroup | undefined,
    sizes: { readonly block: number; readonly message: number },
  ): Promise<void>;
  /** What each rank owns of parameters of these sizes: [first number, count] by parameter and rank. */
  cuts(sizes: readonly number[], ranks: number): [from: number, count: number][][];
  /** Measured limits of a device and its free memory; `kernels`: whether the CUDA plug-in is there. Blocks for a second. */
  probe(
    device: string,
    dtype: 'float32' | 'bfloat16',
    copyBytes: number,
    matrixSide: number,
  ): {
    readonly copyBytesPerSecond: number;
    readonly matmulFlopsPerSecond: number;
    readonly freeBytes: number;
    readonly kernels: boolean;
  };
  /** Seconds of each kind of work on the CPU, summed over threads, since the last call; the first call starts the count. */
  workSeconds(): Record<'products' | 'packing' | 'attention' | 'rows' | 'sampling' | 'optimizer', number>;
  /** Every fused kernel of a device against its plain twin: largest difference over the largest number, for drawn tokens the
   * share that differs. On the CPU those of each instruction set too, which their names begin with. Blocks for a second. Throws where there is no such device. */
  compareKernels(device: string): { readonly kernel: string; readonly shape: string; readonly error: number }[];
}
/** The ranks of a job as the engine sees them (native/distributed/group.h), and the watch over them (watch.h). */
export interface NativeGroup {
  set(key: string, value: string): Promise<void>;
  /** Waits for the key. */
  get(key: string): Promise<string>;
  /** Seconds that one exchange of `bytes` bytes a rank takes, the second of two. */
  measure(exchange: 'allToAll' | 'allGather' | 'broadcast', bytes: number): Promise<number>;
  /** Seconds that this rank's engine has computed, without those in exchanges, and what is free on its GPU. */
  usage(device: 'cpu' | 'cuda'): { readonly busySeconds: number; readonly gpuFreeBytes?: number };
  /** Starts the watch; milliseconds. */
  watch(limits: { readonly beat: number; readonly silence: number; readonly stall: number }): void;
  /** The event loop of this rank runs. */
  tick(): void;
  /** Ends all ranks with code 75 and a line that says why; does not come back. */
  fail(why: string): never;
  /** Takes leave of the watch; rank 0 waits for the others. */
  leave(): Promise<void>;
}
export interface NativeAddon {
  joinGroup(rank: {
    readonly rank: number;
    readonly size: number;
    readonly host: string;
    readonly port: number;
    /** A socket that listens at the port already, or -1. */
    readonly listenFd: number;
    readonly storeIsElsewhere: boolean;
    /** Tells jobs, and attempts at one, over one store apart. */
    readonly job: string;
    /** Of the job's secret: where it differs from that of rank 0, all ranks reject with a message that begins with MSTAR_SECRET. */
    readonly proof: string;
    readonly address: string;
  }): Promise<NativeGroup>;
  /** Has the kernel end this process with its parent; false when that has ended already. */
  dieWithParent(parent: number): boolean;
  CancelFlag: new () => CancelFlag;
  loadModel(spec: ModelSpec): Promise<NativeModel>;
  /** Names and shapes a backbone wants for a config: what checkpoint files are checked against before weights are mapped. */
  parameterShapes(backbone: string, config: Readonly<Record<string, number>>): ParameterShape[];
  /** Sizes of the decoder for a config that `parameterShapes` took. */
  decoderShape(backbone: string, config: Readonly<Record<string, number>>): DecoderSizes;
  /** Patches that the vision tower sees of a picture of this size in pixels, for a config that `parameterShapes` took. */
  picturePatches(backbone: string, config: Readonly<Record<string, number>>, width: number, height: number): number;
  /** Backbones of this build, by name. */
  backbones(): string[];
  readonly checks: Checks;
  /** `simd`: the instruction set of the CPU kernels in use. */
  info(): { readonly torch: string; readonly threads: number; readonly simd: string; readonly malloc: string };
}

/** The same place seen from src/engine (tests) and from dist/engine. */
const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

let loaded: NativeAddon | undefined;

/**
 * The addon, loaded on first use: the one that was built here, else a prebuilt one, whose LibTorch is fetched where there is none.
 * Throws UserError with one line that says what to do when there is none or it does not load.
 */
export function addon(): NativeAddon {
  if (loaded) return loaded;
  const built = path.join(packageRoot, '.native/Release/mstar.node');
  const own = existsSync(built);
  const file = own ? built : openPrebuilt();
  try {
    loaded = createRequire(import.meta.url)(file) as NativeAddon;
  } catch (error) {
    const reason = firstLine(error);
    if (reason.startsWith('MSTAR_SIMD:')) throw new UserError(reason, 'ERR_ADDON');
    // It is linked to one LibTorch, which may be gone, moved or closed to this user.
    const build = own
      ? `remove ${path.dirname(path.dirname(file))} and ${howToBuild(packageRoot)}`
      : `run ${buildHere(packageRoot)}, which compiles it for this machine`;
    throw new UserError(`the native addon does not load: ${reason}: ${build}`, 'ERR_ADDON');
  }
  return loaded;
}

/** File of the prebuilt addon that fits this machine, with its LibTorch in the process, where the linker finds it by its name. */
function openPrebuilt(): string {
  const found = prebuilt();
  if ('why' in found) {
    const why = existsSync(path.join(packageRoot, 'src')) ? '' : ` and no prebuilt one fits (${found.why})`;
    throw new UserError(`the native addon is not built${why}: ${howToBuild(packageRoot)}`, 'ERR_ADDON');
  }
  let { torch } = found;
  try {
    torch ??= fetchLibtorch();
    const library = path.join(torch, 'lib/libtorch_cpu.so');
    // Node.js opens the library, finds that it is no addon, and closes it again, which RTLD_NODELETE turns into nothing.
    process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_NOW | RTLD_NODELETE);
  } catch (error) {
    const reason = firstLine(error);
    const what = torch === undefined ? '' : `: remove ${torch}, or set TORCH_ROOT to another LibTorch`;
    if (!reason.startsWith('Module did not self-register'))
      throw new UserError(`the native addon does not load: ${reason}${what}`, 'ERR_ADDON');
  }
  return found.file;
}

/** Of glibc; `os.constants` does not have it. */
const RTLD_NODELETE = 0x1000;

const firstLine = (error: unknown): string => String((error as Error).message).split('\n')[0] as string;

/**
 * Which command builds the addon where this package stands, and where to run it: in a clone, or installed by one package
 * manager or another, some of which skip install scripts unless they are told otherwise (npm from 12 on, pnpm).
 * @param packageRoot the package's folder with links followed
 */
export function howToBuild(packageRoot: string): string {
  const modules = packageRoot.split(path.sep).indexOf('node_modules');
  if (modules < 0) return `run \`npm run setup\` in ${packageRoot}`;
  // The outermost node_modules is the project's: pnpm keeps packages in a node_modules of their own inside it.
  const project = packageRoot.split(path.sep).slice(0, modules).join(path.sep) || path.sep;
  const has = (file: string): boolean => existsSync(path.join(project, file));
  // Each is known by what it leaves in a project.
  let command =
    '`npm rebuild mstar --ignore-scripts=false --foreground-scripts` (npm 12: after `npm install-scripts approve mstar`)';
  if (has('node_modules/.modules.yaml') || has('node_modules/.pnpm'))
    command = '`pnpm approve-builds` and choose mstar (`pnpm rebuild mstar` where it is allowed)';
  else if (has('node_modules/.yarn-state.yml')) command = '`yarn rebuild mstar`';
  else if (has('bun.lock') || has('bun.lockb')) command = '`bun pm trust mstar`';
  return `run ${command} in ${project}, or ${buildHere(packageRoot)}`;
}

/** Works whatever the package manager allows, and whatever prebuilt addon there is. */
const buildHere = (folder: string): string => `\`node "${path.join(folder, 'scripts/build-native.mjs')}"\``;
