#!/bin/bash
# Several machines without a scheduler: the same line on each of them, rank 0 on HOST.
# `NODES=2 HOST=gpu-a MSTAR_SECRET=... ./torchrun.sh recipe.yaml`
: "${NODES:?wanted the number of machines}" "${HOST:?wanted the name of one of the machines}"
: "${MSTAR_SECRET:?wanted the same text on all machines}"

# torchrun starts all processes again when one is lost; they go on with the run.
torchrun --nnodes "$NODES" --nproc-per-node "${GPUS:-8}" --max-restarts 20 \
  --rdzv-backend c10d --rdzv-endpoint "$HOST:29400" --rdzv-id mstar \
  --no-python mstar evolve --config "$1" --set model.device=cuda
