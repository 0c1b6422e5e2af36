"""Peers of the rollout and label benchmarks in PyTorch, as a worker: one JSON request per line, one JSON answer per line.

HF: transformers' generate(). plain: the hand-tuned decoder of PERF_DIR/plain.py, which is what a careful user would write.
Arguments: MODEL_DIR PERF_DIR THREADS. Requests: {"do": name, "prompts", "tokens", "samples", "new"} or with "steps", "stepTokens".
"""

import json
import sys
import time

import torch

sys.path.insert(0, sys.argv[2])
torch.set_num_threads(int(sys.argv[3]))
torch.set_grad_enabled(False)
from plain import Plain  # noqa: E402
from transformers import LlamaForCausalLM  # noqa: E402

SAMPLING = dict(do_sample=True, temperature=1.0, top_k=0, top_p=1.0, eos_token_id=2, pad_token_id=3)
model = LlamaForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32).eval()
plain = Plain(sys.argv[1])


def generate(rows, samples, new):
    out = model.generate(
        rows,
        attention_mask=torch.ones_like(rows),
        num_return_sequences=samples,
        max_new_tokens=new,
        min_new_tokens=new,
        **SAMPLING,
    )
    return out.shape[0] * (out.shape[1] - rows.shape[1])


def sample(r, ids):
    if r["do"] == "hf":
        return generate(ids, r["samples"], r["new"])
    return {"plain": plain.sample, "plain_cascade": plain.sample_cascade}[r["do"]](ids, r["samples"], r["new"]).numel()


def label(r, ids):
    ends = [r["tokens"] + (i + 1) * r["stepTokens"] for i in range(r["steps"])]
    if r["do"] == "hf_naive":
        return sum(generate(row[None, :end], r["samples"], r["new"]) for row in ids for end in ends)
    run = {"plain": plain.mc_cached, "plain_cascade": plain.mc_cascade}[r["do"]]
    return run(ids, r["tokens"], r["steps"], r["stepTokens"], r["samples"], r["new"]).numel()


print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    torch.manual_seed(0)
    length = request["tokens"] + request.get("steps", 0) * request.get("stepTokens", 0)
    ids = torch.randint(4, plain.V, (request["prompts"], length))
    started = time.perf_counter()
    with torch.inference_mode():
        tokens = label(request, ids) if "steps" in request else sample(request, ids)
    print(json.dumps({"tokens": tokens, "seconds": time.perf_counter() - started}), flush=True)
