"""The model of gpt.ts in PyTorch: reads FOLDER/problem.json, writes its loss and gradients to FOLDER/answer.json."""
import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

folder = Path(sys.argv[1])
problem = json.loads((folder / "problem.json").read_text())
D, H, G, T, B, V = (problem[k] for k in ("width", "heads", "keyHeads", "length", "rows", "vocabSize"))
C = D // H
flat = {name: torch.tensor(values, requires_grad=True) for name, values in problem["weights"].items()}
w = {name: v if v.numel() == 1 else v.view(-1, 3 * D if name.startswith("down") else D) for name, v in flat.items()}
tokens, targets = (torch.tensor(problem[k]).view(B, T) for k in ("tokens", "targets"))


def norm(x):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)


angles = torch.outer(torch.arange(T).float(), 1 / 10000 ** (torch.arange(0, C, 2) / C))
cos, sin = angles.cos()[None, :, None, :], angles.sin()[None, :, None, :]


def rotary(x):
    a, b = x.chunk(2, dim=3)
    return torch.cat([a * cos + b * sin, b * cos - a * sin], 3)


def attention(q, k, v, window):
    t = torch.arange(T)
    hidden = t[None, :] > t[:, None]
    if window:
        hidden = hidden | (t[None, :] <= t[:, None] - window)
    k, v = (x.repeat_interleave(H // G, dim=2) for x in (k, v))
    q, k, v = (x.transpose(1, 2) for x in (q, k, v))
    scores = (q @ k.transpose(-1, -2) / C**0.5).masked_fill(hidden, float("-inf"))
    return (F.softmax(scores, -1) @ v).transpose(1, 2).reshape(B, T, D)


first = x = norm(F.embedding(tokens, w["embedding"]))
for i in range(problem["layers"]):
    x = x * w[f"scalar{i}0"] + first * w[f"scalar{i}1"]
    h = norm(x)
    q, k, v = (F.linear(h, w[f"{name}{i}"]).view(B, T, -1, C) for name in "qkv")
    y = attention(norm(rotary(q)), norm(rotary(k)), v, problem["window"] if i == 0 else 0)
    x = x + F.linear(y, w[f"o{i}"])
    x = x + F.linear(F.relu(F.linear(norm(x), w[f"up{i}"])).square(), w[f"down{i}"])
logits = 15 * torch.tanh(F.linear(norm(x), w["head"]) / 15)
loss = F.cross_entropy(logits.view(-1, V), targets.view(-1))
loss.backward()
gradients = {name: v.grad.flatten().tolist() for name, v in flat.items()}
(folder / "answer.json").write_text(json.dumps({"loss": loss.item(), "gradients": gradients}))
