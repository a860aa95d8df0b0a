"""The other side of the comparison: the same GPT in PyTorch, as one would write it there.

    python3 bench/trainer/peer.py '{"shape":[256,4,2,256,16,2048],"steps":6,"threads":2}'

Prints one JSON object: the milliseconds of each step after the first, the number of parameters, and PyTorch's version.
With "peak" in place of "shape" it times square matrix products instead and prints their GFLOPS.
"""
import json
import math
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

options = json.loads(sys.argv[1])
torch.set_num_threads(options["threads"])
torch.manual_seed(0)


def sgemm_peak(n=2048, repeats=6):
    a, b = torch.randn(n, n), torch.randn(n, n)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        a @ b
        seconds.append(time.perf_counter() - start)
    return 2 * n**3 / min(seconds) / 1e9


if "peak" in options:
    print(json.dumps({"gflops": sgemm_peak()}))
    sys.exit()

D, L, H, T, B, V = options["shape"]


def norm(x):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)


angles = torch.outer(torch.arange(T).float(), 1 / 10000 ** (torch.arange(0, D // H, 2) / (D // H)))
cos, sin = angles.cos()[None, :, None, :], angles.sin()[None, :, None, :]


def rotary(x):
    a, b = x.chunk(2, dim=3)
    return torch.cat([a * cos + b * sin, b * cos - a * sin], 3)


if hasattr(F, "scaled_dot_product_attention"):  # PyTorch 2

    def attention(q, k, v):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)

else:
    mask = torch.full((T, T), float("-inf")).triu(1)

    def attention(q, k, v):
        return F.softmax((q @ k.transpose(-1, -2)) / math.sqrt(q.shape[-1]) + mask, -1) @ v


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.p = (nn.Linear(D, D, bias=False) for _ in range(4))
        self.up, self.down = nn.Linear(D, 4 * D, bias=False), nn.Linear(4 * D, D, bias=False)

    def forward(self, x):
        h = norm(x)
        q, k, v = (m(h).view(B, T, H, D // H) for m in (self.q, self.k, self.v))
        q, k = norm(rotary(q)), norm(rotary(k))
        y = attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
        x = x + self.p(y.transpose(1, 2).reshape(B, T, D))
        return x + self.down(F.relu(self.up(norm(x))).square())


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(V, D)
        self.blocks = nn.ModuleList([Block() for _ in range(L)])
        self.head = nn.Linear(D, V, bias=False)

    def forward(self, tokens, targets):
        x = norm(self.embedding(tokens))
        for block in self.blocks:
            x = block(x)
        logits = 15 * torch.tanh(self.head(norm(x)) / 15)
        return F.cross_entropy(logits.view(-1, V), targets.view(-1))


model = GPT()
try:
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, foreach=True)
except TypeError:  # PyTorch before 1.12
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
milliseconds = []
for _ in range(options["steps"] + 1):
    tokens, targets = torch.randint(V, (B, T)), torch.randint(V, (B, T))
    start = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    loss = model(tokens, targets)
    loss.backward()
    optimizer.step()
    milliseconds.append((time.perf_counter() - start) * 1e3)
parameters = sum(p.numel() for p in model.parameters())
print(json.dumps({"milliseconds": milliseconds[1:], "parameters": parameters, "version": torch.__version__}))
