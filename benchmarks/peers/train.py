"""Peers of the train and score benchmarks in PyTorch, as a worker: one JSON request per line, one JSON answer per line.

hf: transformers with fused AdamW. plain: a short decoder of one's own, fused AdamW. trl: TRL's SFTTrainer, its first step left out.
Arguments: MODEL_DIR THREADS. Requests: {"do": name, "prompts", "tokens", "samples", "new"}: so many prompts of so many tokens, each with
`samples` responses of `new` tokens; with "score" a forward pass alone, else an optimizer step with the loss on the responses.
"""

import contextlib
import json
import resource
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

folder, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
from transformers import LlamaForCausalLM  # noqa: E402


class Plain(nn.Module):
    """The same decoder in as few operations as PyTorch has for it."""

    def __init__(self, like):
        super().__init__()
        c = self.c = like.config
        self.width = c.hidden_size // c.num_attention_heads
        self.norms = nn.ParameterList()
        self.weights = nn.ParameterList()
        for layer in like.model.layers:
            a, m = layer.self_attn, layer.mlp
            self.norms += [layer.input_layernorm.weight, layer.post_attention_layernorm.weight]
            self.weights += [
                nn.Parameter(torch.cat([a.q_proj.weight, a.k_proj.weight, a.v_proj.weight]).detach()),
                a.o_proj.weight,
                nn.Parameter(torch.cat([m.gate_proj.weight, m.up_proj.weight]).detach()),
                m.down_proj.weight,
            ]
        self.norms.append(like.model.norm.weight)
        self.embedding, self.head = like.model.embed_tokens.weight, like.lm_head.weight
        theta = getattr(c, "rope_theta", None) or c.rope_parameters["rope_theta"]
        angles = torch.outer(torch.arange(2048.0), theta ** (-torch.arange(0, self.width, 2).float() / self.width))
        self.cosine, self.sine = angles.cos().repeat(1, 2), torch.cat([-angles.sin(), angles.sin()], -1)

    def forward(self, ids):
        c, (rows, length) = self.c, ids.shape
        heads = [c.num_attention_heads, c.num_key_value_heads, c.num_key_value_heads]
        norm = lambda x, i: F.rms_norm(x, x.shape[-1:], self.norms[i], c.rms_norm_eps)  # noqa: E731
        turn = lambda x: x * self.cosine[:length] + x.roll(self.width // 2, -1) * self.sine[:length]  # noqa: E731
        x = F.embedding(ids, self.embedding)
        for i in range(c.num_hidden_layers):
            qkv, out, gate_up, down = self.weights[4 * i : 4 * i + 4]
            split = F.linear(norm(x, 2 * i), qkv).split([h * self.width for h in heads], -1)
            q, k, v = (part.view(rows, length, -1, self.width).transpose(1, 2) for part in split)
            mixed = F.scaled_dot_product_attention(turn(q), turn(k), v, is_causal=True, enable_gqa=True)
            x = x + F.linear(mixed.transpose(1, 2).reshape(rows, length, -1), out)
            gate, up = F.linear(norm(x, 2 * i + 1), gate_up).chunk(2, -1)
            x = x + F.linear(F.silu(gate) * up, down)
        return norm(x, -1)


class Bench:
    def __init__(self, name):
        hf = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).train()
        hf.config.use_cache = False
        self.name, self.hf = name, hf
        self.plain = Plain(hf) if name == "plain" else None
        self.adamw = torch.optim.AdamW((self.plain or hf).parameters(), lr=1e-6, fused=True)

    def step(self, ids, labels, prompt):
        if self.plain is None:
            loss = self.hf(input_ids=ids, labels=labels).loss
        else:  # what predicts the responses alone
            first = max(prompt - 1, 0)
            logits = F.linear(self.plain(ids)[:, first:-1].flatten(0, 1), self.hf.lm_head.weight)
            loss = F.cross_entropy(logits, ids[:, first + 1 :].flatten())
        loss.backward()
        self.adamw.step()
        self.adamw.zero_grad(set_to_none=True)

    def score(self, ids):
        with torch.inference_mode():
            hidden = self.plain(ids) if self.plain is not None else self.hf.model(input_ids=ids).last_hidden_state
            hidden.sum(-1)


def trl_step(ids, labels):
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    class Clock(TrainerCallback):
        seen = []

        def on_step_begin(self, *_, **__):
            self.seen.append((time.perf_counter(), cpu()))

        def on_step_end(self, *_, **__):
            self.seen.append((time.perf_counter(), cpu()))

    rows = {"input_ids": ids.repeat(2, 1).tolist(), "labels": labels.repeat(2, 1).tolist()}
    settings = SFTConfig(
        output_dir="/tmp/mstar-trl", per_device_train_batch_size=len(ids), max_steps=2, learning_rate=1e-6, optim="adamw_torch_fused",
        lr_scheduler_type="constant", save_strategy="no", report_to=[], use_cpu=True, bf16=False, max_length=None,
        gradient_checkpointing=False, dataloader_pin_memory=False, disable_tqdm=True, logging_steps=1000,
        dataset_kwargs={"skip_prepare_dataset": True}, remove_unused_columns=False,
    )
    clock = Clock()
    with contextlib.redirect_stdout(sys.stderr):
        SFTTrainer(model=bench("trl").hf, args=settings, train_dataset=Dataset.from_dict(rows), callbacks=[clock]).train()
    return clock.seen[3][0] - clock.seen[2][0], clock.seen[3][1] - clock.seen[2][1]


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


benches = {}


def bench(name):
    if name not in benches:
        benches[name] = Bench(name)
    return benches[name]


print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    r = json.loads(line)
    name = bench(r["do"])
    torch.manual_seed(0)
    vocabulary = name.hf.config.vocab_size
    prompts = torch.randint(4, vocabulary, (r["prompts"], r["tokens"])).repeat_interleave(r["samples"], 0)
    responses = torch.randint(4, vocabulary, (len(prompts), r["new"]))
    ids = torch.cat([prompts, responses], 1)
    labels = ids.clone()
    labels[:, : r["tokens"]] = -100
    try:
        if r.get("score"):
            name.score(ids)
            answer = {}
        elif r["do"] == "trl":
            wall, used = trl_step(ids, labels)
            answer = {"wall": wall, "cpu": used}
        else:
            name.step(ids, labels, r["tokens"])
            answer = {}
        print(json.dumps({"tokens": responses.numel() if r.get("score") else ids.numel(), **answer}), flush=True)
    except Exception as error:  # the benchmark leaves this peer out and says why
        print(json.dumps({"error": f"{type(error).__name__}: {error}"[:300]}), flush=True)
