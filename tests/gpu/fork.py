"""Imports what the fork server imports; then a child of a fork uses the device."""

import json
import os
import sys

import torch
import torch._dynamo

import engine.worker.preload

if __name__ == "__main__":
    assert engine.worker.preload.__all__
    is_clean = not torch.cuda.is_initialized()
    if not (pid := os.fork()):
        torch.zeros(1, device=sys.argv[1]).add_(1).item()
        sys.exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print(json.dumps({"clean": is_clean, "child": status}))
