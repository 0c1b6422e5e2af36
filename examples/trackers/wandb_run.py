"""Brings the curves and settings of a run into Weights & Biases.

    pip install wandb
    python wandb_run.py runs/demo --project mstar           # WANDB_MODE=offline keeps them for `wandb sync`

It reads metrics.jsonl, which `mstar evolve --report-to jsonl` writes, and may be called while the run goes on; each call makes
a run of its own there. The axis of a group of curves, such as train, is that group's own step.
"""
import argparse
import itertools
import json
import pathlib

import wandb
import yaml


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path, help="run folder that holds metrics.jsonl")
    parser.add_argument("--project", default="mstar")
    parser.add_argument("--name", help="name of the run there; that of the folder when left out")
    args = parser.parse_args()
    with open(args.run / "metrics.jsonl", encoding="utf8") as file:
        # A run at work may be within its last line.
        lines = [json.loads(line) for line in file if line.endswith("\n")]
    settings = args.run / "config.yaml"
    config = yaml.safe_load(settings.read_text(encoding="utf8")) if settings.exists() else {}

    run = wandb.init(project=args.project, name=args.name or args.run.resolve().name, config=config)
    group_of = lambda line: line["tag"].split("/")[0]
    for group in sorted({group_of(line) for line in lines}):
        run.define_metric(f"{group}/*", step_metric=f"{group}/step")
    for (group, step), same in itertools.groupby(lines, lambda line: (group_of(line), line["step"])):
        run.log({f"{group}/step": step, **{line["tag"]: line["value"] for line in same}})
    run.finish()


if __name__ == "__main__":
    main()
