"""Brings the curves and settings of a run into MLflow.

    pip install mlflow
    python mlflow_run.py runs/demo --experiment mstar       # MLFLOW_TRACKING_URI names the server or folder

It reads metrics.jsonl, which `mstar evolve --report-to jsonl` writes, and may be called while the run goes on; each call makes
a run of its own there. Every value keeps its step and the time at which it was first seen.
"""
import argparse
import json
import pathlib
import time

import mlflow
import yaml
from mlflow.entities import Metric, Param

METRICS_AT_ONCE = 1000
PARAMS_AT_ONCE = 100
LONGEST_PARAM = 500


def flat(value, name=""):
    """Settings by their dotted names."""
    if not isinstance(value, dict):
        return {name: value}
    inner = (flat(one, f"{name}.{key}" if name else key) for key, one in value.items())
    return {key: one for group in inner for key, one in group.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path, help="run folder that holds metrics.jsonl")
    parser.add_argument("--experiment", default="mstar")
    parser.add_argument("--name", help="name of the run there; that of the folder when left out")
    args = parser.parse_args()
    with open(args.run / "metrics.jsonl", encoding="utf8") as file:
        # A run at work may be within its last line.
        lines = [json.loads(line) for line in file if line.endswith("\n")]
    settings = args.run / "config.yaml"
    config = yaml.safe_load(settings.read_text(encoding="utf8")) if settings.exists() else {}

    experiment = mlflow.set_experiment(args.experiment)
    client = mlflow.MlflowClient()
    run_id = client.create_run(experiment.experiment_id, run_name=args.name or args.run.resolve().name).info.run_id
    params = [Param(name, json.dumps(value)[:LONGEST_PARAM]) for name, value in flat(config).items()]
    for at in range(0, len(params), PARAMS_AT_ONCE):
        client.log_batch(run_id, params=params[at : at + PARAMS_AT_ONCE])
    now = time.time()
    metrics = [
        Metric(line["tag"], line["value"], int(1000 * (line["wallSeconds"] or now)), line["step"]) for line in lines
    ]
    for at in range(0, len(metrics), METRICS_AT_ONCE):
        client.log_batch(run_id, metrics=metrics[at : at + METRICS_AT_ONCE])
    client.set_terminated(run_id)


if __name__ == "__main__":
    main()
