"""HF transformers' generate() on the load of the GPU benchmark: one JSON answer on stdout.

Argument: a JSON object with the decoder's sizes (as in benchmarks/gpu.mjs), device, prompts, promptTokens, samples, newTokens.
Random bfloat16 weights, made on the device; every prompt's samples in one batch, which is what generate() offers.
"""

import json
import sys
import time

import torch
from transformers import LlamaConfig, LlamaForCausalLM

a = json.loads(sys.argv[1])
torch.manual_seed(0)
torch.set_grad_enabled(False)
config = LlamaConfig(
    hidden_size=a["l_hidden"],
    intermediate_size=a["l_intermediate"],
    num_hidden_layers=a["l_layers"],
    num_attention_heads=a["l_heads"],
    num_key_value_heads=a["l_kv_heads"],
    vocab_size=a["vocab"],
    max_position_embeddings=a["promptTokens"] + a["newTokens"] + 8,
    bos_token_id=1,
    eos_token_id=2,
    pad_token_id=3,
)
torch.set_default_dtype(torch.bfloat16)
with torch.device(a["device"]):
    model = LlamaForCausalLM(config).eval()
ids = torch.randint(4, a["vocab"], (a["prompts"], a["promptTokens"]), device=a["device"])


def run(new):
    started = time.perf_counter()
    out = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        num_return_sequences=a["samples"],
        do_sample=True,
        temperature=1.0,
        top_k=0,
        top_p=1.0,
        max_new_tokens=new,
        min_new_tokens=new,
    )
    if a["device"] != "cpu":
        torch.cuda.synchronize()
    return out.shape[0] * (out.shape[1] - ids.shape[1]), time.perf_counter() - started


run(4)
tokens, seconds = run(a["newTokens"])
print(json.dumps({"tokens": tokens, "seconds": seconds, "tokensPerSecond": tokens / seconds}))
