#!/bin/bash
# One node of a Slurm cluster: mstar starts a process for each of its GPUs. `sbatch slurm-one-node.sh recipe.yaml`
#SBATCH --job-name=mstar
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=64
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=TERM@180

srun --ntasks=1 mstar evolve --config "$1" --set model.device=cuda --gpus "${SLURM_GPUS_ON_NODE:-8}"
code=$?
# 0 is the end and 1 an error of the recipe. Everything else (75: a process was lost, 143: the time was nearly over) goes on.
if [ "$code" -gt 1 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 50 ]; then scontrol requeue "$SLURM_JOB_ID"; fi
exit "$code"
