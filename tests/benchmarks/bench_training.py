"""One step of training on a processor: this trainer against TRL's SFTTrainer on the same work.

CURATOR_TRL_PYTHON=/path/to/python python -m tests.benchmarks.bench_training [--base FOLDER]

Both train the same LoRA adapter (rank 8, all linear layers, 32 bits, batches of 4) of the same base on
the same conversations with the same answers in the loss, in processes of their own with one thread,
in turns. CURATOR_TRAINER_PYTHON and CURATOR_TRL_PYTHON name a Python that has the trainer, and one
that has TRL beside it. What counts is the CPU time of a step; a median over all steps but the first.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from curator.tune.local.bases.bases import PRACTICE, make_tiny
from curator.tune.local.job_folders import local_root, write_json
from curator.tune.local.options import TrainingOptions

HOME = Path(__file__).resolve().parents[2]

OURS = """
import json, sys, time
from curator.tune.local.trainer import loop, worker
times = []
class Timed(loop.Loop):
    def _take(self, batch):
        before = time.process_time()
        super()._take(batch)
        times.append(time.process_time() - before)
loop.Loop = Timed
code = worker.main([sys.argv[1]])
print(json.dumps(times))
sys.exit(code)
"""

THEIRS = """
import json, sys, time
import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer
folder, base, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
rows = []
for line in open(folder + "/train.jsonl"):
    talk = json.loads(line)["messages"]
    rows.append({"prompt": talk[:-1], "completion": talk[-1:]})
times = []
class Clock(TrainerCallback):
    def on_step_begin(self, *args, **more):
        self.before = time.process_time()
    def on_log(self, args, state, control, **more):
        if len(times) < state.global_step:
            times.append(time.process_time() - self.before)
trainer = SFTTrainer(
    model=AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32),
    processing_class=AutoTokenizer.from_pretrained(base),
    train_dataset=Dataset.from_list(rows),
    peft_config=LoraConfig(r=8, lora_alpha=16, lora_dropout=0.0, target_modules="all-linear",
                           task_type="CAUSAL_LM"),
    args=SFTConfig(output_dir=folder + "/out", num_train_epochs=1, learning_rate=1e-3,
                   per_device_train_batch_size=size, use_cpu=True, bf16=False, save_strategy="no",
                   gradient_checkpointing=False, logging_steps=1, report_to="none",
                   completion_only_loss=True, max_length=1024, disable_tqdm=True, seed=7,
                   dataloader_pin_memory=False),
    callbacks=[Clock()],
)
trainer.train()
print(json.dumps(times))
"""


def job(folder: Path, base: Path, conversations: int) -> None:
    """Write a job's folder: support answers of two sentences, as the practice base gets them."""
    lines = []
    for number in range(conversations):
        answer = f"Your card number {number % 10} is on its way. It takes five working days."
        talk = [
            {"role": "user", "content": f"When will the card come that I ordered on day {number}?"},
            {"role": "assistant", "content": answer},
        ]
        lines.append(json.dumps({"messages": talk}))
    folder.mkdir(parents=True)
    (folder / "train.jsonl").write_text("\n".join(lines) + "\n")
    options = TrainingOptions(epochs=1, device="cpu").to_json()
    spec = {"base": str(base), "options": options, "training_path": "train.jsonl"}
    write_json(folder / "spec.json", spec)
    write_json(folder / "state.json", {"status": "queued"})


def measure(python: str, code: str, *arguments: str) -> list[float]:
    """Run one side and return the CPU seconds of its steps."""
    done = subprocess.run(
        [python, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": str(HOME), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr[-3000:])
    times: list[float] = json.loads(done.stdout.splitlines()[-1])
    return times[1:]


def main() -> int:
    """Measure both in turns; the exit code is 1 where ours takes more."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, default=local_root() / "bases" / PRACTICE)
    parser.add_argument("--conversations", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=2)
    chosen = parser.parse_args()
    theirs = os.environ.get("CURATOR_TRL_PYTHON")
    if theirs is None:
        raise SystemExit("CURATOR_TRL_PYTHON must name a Python that has TRL.")
    ours = os.environ.get("CURATOR_TRAINER_PYTHON", sys.executable)
    found: dict[str, list[float]] = {"curator": [], "trl": []}
    with tempfile.TemporaryDirectory() as scratch:
        base = chosen.base
        if not (base / "config.json").is_file():
            base = Path(scratch) / "tiny"
            make_tiny(base)
        for number in range(chosen.rounds):
            for side in found:
                folder = Path(scratch) / f"{side}-{number}"
                job(folder, base, chosen.conversations)
                if side == "curator":
                    found[side] += measure(ours, OURS, str(folder))
                else:
                    found[side] += measure(theirs, THEIRS, str(folder), str(base), "4")
        medians = {side: statistics.median(times) for side, times in found.items()}
    for side, times in found.items():
        print(f"{side:8} {medians[side]:.3f} CPU seconds a step ({len(times)} steps)")
    print(f"ratio    {medians['curator'] / medians['trl']:.3f} (at most 1)")
    print(f"base {base.name}, load {os.getloadavg()[0]:.1f}")
    return 0 if medians["curator"] <= medians["trl"] else 1


if __name__ == "__main__":
    sys.exit(main())
