#!/bin/sh
# Trains the job of this folder: PROCESSES=2 sh run.sh; run it again and it goes on where it stopped.
set -eu
cd "$(dirname "$0")"
export PYTHONPATH="$PWD/code" CURATOR_STATE="$PWD/state"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" TOKENIZERS_PARALLELISM=false
# RENDEZVOUS holds several options of torchrun where there are several machines. On one, the number
# instead of --standalone: that asks for the name localhost, which not every machine knows.
alone="--rdzv-backend=c10d --rdzv-endpoint=127.0.0.1:0 --local-addr=127.0.0.1"
# shellcheck disable=SC2086
"${PYTHON:-python3}" -m torch.distributed.run --nnodes "${NODES:-1}" \
  --nproc-per-node "${PROCESSES:-1}" ${RENDEZVOUS:-$alone} \
  -m curator.tune.local.trainer.worker "$PWD"
grep -q '"status": "succeeded"' state.json
