#!/bin/bash
# Several nodes of a Slurm cluster: srun starts a process for each GPU. `sbatch slurm-many-nodes.sh recipe.yaml`
#SBATCH --job-name=mstar
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=8
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=8
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=TERM@180

# The same text for all processes of this job, and for nobody else.
MSTAR_SECRET="${MSTAR_SECRET:-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')}"
export MSTAR_SECRET

# Processes that are bound to their GPUs cannot reach those beside them.
run="srun --gpu-bind=none --kill-on-bad-exit=1"

# A minute that tells before the long run whether the nodes work together; an error of one of them ends the job here.
if [ "${SLURM_RESTART_COUNT:-0}" -eq 0 ]; then $run mstar distributed check --device cuda || exit; fi

$run mstar evolve --config "$1" --set model.device=cuda
code=$?
# 0 is the end and 1 an error of the recipe. Everything else (75: a process was lost, 143: the time was nearly over) goes on.
if [ "$code" -gt 1 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 50 ]; then scontrol requeue "$SLURM_JOB_ID"; fi
exit "$code"
