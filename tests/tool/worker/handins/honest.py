"""Things that honest coursework does; each function has to work in a sealed worker. Data for a test, not a test."""

import asyncio
import concurrent.futures
import contextlib
import gc
import inspect
import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import weakref

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def training_loop():
    torch.manual_seed(0)
    x, y = torch.randn(64, 8), torch.randint(0, 3, (64,))
    model = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.LayerNorm(16), nn.Dropout(0.1), nn.Linear(16, 3))
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser)
    losses = []
    for _ in range(15):
        for xb, yb in DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True, num_workers=0):
            optimiser.zero_grad()
            loss = F.cross_entropy(model(xb), yb)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
        schedule.step()
        losses.append(loss.item())
    return losses[0] > losses[-1]


def two_torch_threads():
    torch.set_num_threads(2)
    a = torch.randn(512, 512)
    (a @ a).sum().item()
    (a * 2).exp().sum().item()
    return torch.get_num_threads() == 2


def save_and_load():
    model = nn.Linear(4, 4)
    torch.save(model.state_dict(), "model.pt")
    other = nn.Linear(4, 4)
    other.load_state_dict(torch.load("model.pt"))
    return torch.equal(model.weight, other.weight)


def safetensors_file():
    from safetensors.torch import load_file, save_file

    save_file({"w": torch.ones(3)}, "w.safetensors")
    return torch.equal(load_file("w.safetensors")["w"], torch.ones(3))


def operations():
    x = torch.randn(2, 3, 16, 16)
    nn.Conv2d(3, 4, 3)(x)
    q = torch.randn(2, 2, 5, 4)
    F.scaled_dot_product_attention(q, q, q)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        nn.Linear(4, 4)(q)
    nn.MultiheadAttention(8, 2, batch_first=True)(*[torch.randn(1, 3, 8)] * 3)
    nn.TransformerEncoderLayer(8, 2, batch_first=True)(torch.randn(1, 3, 8))
    torch.linalg.svd(torch.randn(8, 8))
    torch.fft.rfft(torch.randn(64))
    return bool(np.isfinite(np.linalg.eigvalsh(np.eye(20))).all())


def second_derivatives():
    x = torch.tensor([2.0], requires_grad=True)
    (first,) = torch.autograd.grad(x**3, x, create_graph=True)
    (second,) = torch.autograd.grad(first, x)
    return second.item() == 12.0


def checkpointing():
    from torch.utils.checkpoint import checkpoint

    x = torch.randn(3, 4, requires_grad=True)
    checkpoint(nn.Linear(4, 4), x, use_reentrant=False).sum().backward()
    return x.grad is not None


def traced():
    return torch.jit.trace(nn.Linear(3, 3), torch.randn(1, 3))(torch.randn(2, 3)).shape == (2, 3)


def threads():
    done = []
    workers = [threading.Thread(target=done.append, args=(i,)) for i in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return sorted(done) == list(range(8)) and sum(pool.map(abs, range(10))) == 45


def coroutines():
    async def twice(n):
        await asyncio.sleep(0)
        return 2 * n

    async def both():
        return await asyncio.gather(twice(1), twice(2))

    return asyncio.run(both()) == [2, 4]


def own_files():
    with open("notes.txt", "w") as file:
        file.write("x" * 1000)
    os.makedirs("out/deep", exist_ok=True)
    shutil.copy("notes.txt", "out/copy.txt")
    shutil.move("out/copy.txt", "out/deep/moved.txt")
    os.replace("notes.txt", "notes2.txt")
    with tempfile.TemporaryDirectory() as folder, open(os.path.join(folder, "a"), "wb") as file:
        pickle.dump([1, 2], file)
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"1")
    with tempfile.TemporaryFile() as file:
        file.write(b"1")
    shutil.rmtree("out")
    os.makedirs(os.path.expanduser("~/.cache/mine"), exist_ok=True)
    return os.path.getsize("notes2.txt") == 1000


def reads_own_submission():
    here = os.path.dirname(__file__)
    with open(os.path.join(here, "results/metrics.json")) as beside, open("results/metrics.json") as relative:
        return json.load(beside) == json.load(relative) == {"accuracy": 0.5}


def introspection():
    return "def introspection" in inspect.getsource(introspection)


def printing():
    buffer = io.StringIO()
    with contextlib.redirect_stdout(buffer):
        print("inside")
    print("progress", end="\r", flush=True)
    sys.stderr.write("careful\n")
    sys.stdout.buffer.write(b"bytes\n")
    return buffer.getvalue() == "inside\n"


def clocks():
    started, used = time.perf_counter(), time.process_time()
    time.sleep(0.001)
    return time.perf_counter() > started and time.process_time() >= used


def refused_subprocess():
    try:
        subprocess.run(["/bin/true"], check=True)
    except OSError:
        return True
    return False


def refused_download():
    import urllib.request

    try:
        urllib.request.urlopen("https://huggingface.co", timeout=5)
    except OSError:
        return True
    return False


def cycles_are_collected():
    """Without a word to the collector, in all its generations: old ones too are searched in time."""

    class Node:
        def __init__(self):
            self.me = self
            self.next = None

    young = weakref.ref(Node())
    kept = [Node() for _ in range(50_000)]
    old = weakref.ref(kept[0])
    kept[0] = None
    for _ in range(200):
        kept.extend(Node() for _ in range(5_000))
        if old() is None:
            break
    return gc.isenabled() and young() is None and old() is None
