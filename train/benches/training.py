"""A training step of auricle-train beside PyTorch's, in one run on the same cores, round after round in turn.

    pip install torch
    cargo bench -p auricle-train --bench training --no-run      # prints the program
    python3 train/benches/training.py PROGRAM [THREADS] [ROUNDS]

PyTorch has its batch ready; auricle-train makes its examples, features and augmentation in the same time.
"""

import statistics
import subprocess
import sys
import time

import torch
from torch import nn

CLASSES, BATCH, BINS, ROWS, STEPS = 10, 32, 64, 32, 12


def conv(inputs, outputs, kernel, stride=1):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs)
    )


class PerBin(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(BINS)

    def forward(self, x):
        return self.norm(x.transpose(1, 2)).transpose(1, 2)


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        sizes = [1, 32, 64, 128, 256]
        self.input = PerBin()
        self.blocks = nn.ModuleList(conv(i, o, 3) for i, o in zip(sizes, sizes[1:]))
        self.head = nn.Linear(256, CLASSES)

    def forward(self, x):
        x = self.input(x)
        for index, block in enumerate(self.blocks):
            x = torch.relu(block(nn.functional.max_pool2d(x, 2) if index else x))
        return self.head(x.amax((2, 3)))


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        halve = inputs != outputs
        self.first, self.second = conv(inputs, outputs, 3, 2 if halve else 1), conv(outputs, outputs, 3)
        pool = nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False)
        self.beside = nn.Sequential(pool, conv(inputs, outputs, 1)) if halve else nn.Identity()

    def forward(self, x):
        return torch.relu(self.second(torch.relu(self.first(x))) + self.beside(x))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        sizes = [24, 24, 40, 64, 80]
        self.input, self.stem = PerBin(), conv(1, 24, 5, 2)
        self.blocks = nn.Sequential(*(Block(i, o) for i, o in zip(sizes, sizes[1:])))
        self.head = nn.Linear(80 * 4, CLASSES)

    def forward(self, x):
        x = self.blocks(torch.relu(self.stem(self.input(x))))
        return self.head((x.amax(3) + x.mean(3)).flatten(1))


def peer(network):
    """Runs one round, returns its median in ms."""
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3, weight_decay=0.01)
    x, y = torch.randn(BATCH, 1, BINS, ROWS), torch.randint(0, CLASSES, (BATCH,))

    def turn():
        times = []
        for _ in range(STEPS):
            before = time.perf_counter()
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(network(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimiser.step()
            loss.item()
            times.append(1e3 * (time.perf_counter() - before))
        return statistics.median(times)

    return turn


def main():
    program = sys.argv[1]
    threads, rounds = (int(a) for a in (sys.argv[2:] + ["2", "15"][len(sys.argv) - 2 :]))
    torch.set_num_threads(threads)
    for name, network in ("cnn", Cnn()), ("resnet", ResNet()):
        turn = peer(network)
        ours = subprocess.Popen(
            [program, name, str(threads), str(STEPS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        ours.stdout.readline()
        turn()
        pairs = []
        for _ in range(rounds):
            ours.stdin.write("\n")
            ours.stdin.flush()
            pairs.append((float(ours.stdout.readline()), turn()))
        ours.stdin.close()
        ours.wait()
        mine, theirs = (statistics.median(column) for column in zip(*pairs))
        ratio = statistics.median(a / b for a, b in pairs)
        print(f"{name}, {threads} threads: {mine:.1f} ms, PyTorch {torch.__version__} {theirs:.1f} ms, ratio {ratio:.2f}")


main()
