"""PyTorch's side of the benchmark: times one model in one way of running it and prints one line of JSON.

    peer.py --model csae-l --variant compile --steps 200 --warmup 20 --epochs 1

A step is what a training loop does for one batch: take it from the bytes in memory, forward, backward, update.
The first two models are those of CSAE (Zhu & Zhang 2019), which minimise eq. 10: centroid + reconstruction + 0.02 Sobel.
The third is a classifier (Pilarczyk & Skarbek 2019): cross entropy + 0.05 times the variance around learned centroids.
The last is the variational autoencoder of Kingma & Welling (2014), which two more loops train: one as people write it,
over a `Dataset` that converts an example at a time, and the trainer of Pythae, on tensors that were converted before.
"""

import argparse
import gzip
import json
import math
import os
import pathlib
import statistics
import struct
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

LATENT = 40
CLASSES = 10
VAE_LATENT = 20
BATCH = {"csae-l": 128, "csae-c": 128, "embedding-cnn": 256, "vae": 128}
NOISE = 0.04 * math.sqrt(LATENT)  # eq. 11: alpha beta
SOBEL_WEIGHT = 0.02

# What a person would do to train fast: every variant but `eager` and the two loops has the fused optimiser, and treats subnormal
# numbers as zero.
VARIANTS = {
    "csae-l": ["eager", "fused", "compile"],
    "csae-c": ["eager", "fused", "channels-last", "compile", "compile-channels-last"],
    "embedding-cnn": ["eager", "fused", "channels-last", "compile", "compile-channels-last"],
    "vae": ["eager", "fused", "compile", "dataloader", "pythae"],
}
PLAIN = {"eager", "dataloader", "pythae"}
# The same under autocast to BFloat16, bf16-channels-last, and on a GPU with TF32 in products of matrices and convolutions.
REDUCED = ("bf16", "tf32")
VARIANTS = {
    model: names + [f"{precision}-{name}" for precision in REDUCED for name in names if name not in PLAIN]
    for model, names in VARIANTS.items()
}


def precision_of(variant):
    return next((precision for precision in REDUCED if variant.startswith(f"{precision}-")), "float32")


# --- data ---


def find_mnist(data):
    """The folder of MNIST: under `data`, or the subset that ships with the package."""
    shipped = pathlib.Path(__file__).resolve().parent.parent / "Sources/Datasets/Embedded"
    folder = pathlib.Path(data or shipped) / "mnist"
    if not folder.is_dir():
        raise SystemExit(f"there is no folder {folder}; point --data or LATENTKIT_DATA at the folder that holds mnist/")
    return folder


def read_idx(path):
    with gzip.open(path) as file:
        content = file.read()
    zero, kind, rank = struct.unpack(">HBB", content[:4])
    if zero != 0 or kind != 8:
        raise SystemExit(f"{path} is not an IDX file of bytes")
    shape = struct.unpack(f">{rank}I", content[4 : 4 + 4 * rank])
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape).copy())


class Digits:
    """MNIST's training set as bytes in memory; a batch is gathered and converted when it is asked for."""

    def __init__(self, folder, model):
        images = read_idx(folder / "train-images-idx3-ubyte.gz")
        self.labels = read_idx(folder / "train-labels-idx1-ubyte.gz").long()
        self.batch_size = BATCH[model]
        self.symmetric = model == "csae-c"
        self.images = F.pad(images, (2,) * 4) if self.symmetric else images
        self.images = self.images.flatten(1) if model in ("csae-l", "vae") else self.images.unsqueeze(1)

    def to(self, device):
        self.images, self.labels = self.images.to(device), self.labels.to(device)

    def batch(self, rows):
        images = self.images[rows].float()
        images = images.div_(127.5).sub_(1) if self.symmetric else images.div_(255)
        return images, self.labels[rows]

    def epoch(self):
        for rows in torch.randperm(len(self.images), device=self.images.device).split(self.batch_size):
            yield self.batch(rows)


class Examples(Dataset):
    """The same as a data set of its own, which converts an example when it is asked for."""

    def __init__(self, digits):
        self.digits = digits

    def __len__(self):
        return len(self.digits.images)

    def __getitem__(self, index):
        return self.digits.images[index].float() / 255, self.digits.labels[index]


# --- models ---


def linear_model():
    """784-400-40-400-784, ReLU inside, sigmoid at the end."""
    encoder = nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, LATENT))
    decoder = nn.Sequential(nn.Linear(LATENT, 400), nn.ReLU(), nn.Linear(400, 784), nn.Sigmoid())
    return encoder, decoder


class ResidualBlock(nn.Module):
    """ResNet's basic block with stride 2 and a 1x1 convolution as its shortcut."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=2, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x), inplace=True)


def deconvolution_block(inputs, outputs):
    return nn.Sequential(
        nn.ConvTranspose2d(inputs, outputs, 2, stride=2),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def convolutional_model():
    """Table 1 of the paper, for one channel."""
    encoder = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(inplace=True),
        ResidualBlock(32, 64),
        ResidualBlock(64, 128),
        ResidualBlock(128, 128),
        nn.Flatten(),
        nn.Linear(2048, LATENT),
    )
    decoder = nn.Sequential(
        nn.Linear(LATENT, 2048),
        nn.Unflatten(1, (128, 4, 4)),
        deconvolution_block(128, 128),
        deconvolution_block(128, 64),
        deconvolution_block(64, 32),
        nn.Conv2d(32, 1, 1),
    )
    return encoder, decoder


def embedding_model():
    """Two pairs of 3x3 convolutions and one more, a maximum after each, and an embedding of two values."""
    layers, channels = [], 1
    for width, count in [(16, 2), (32, 2), (64, 1)]:
        for _ in range(count):
            layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 3 * 3, 2))


class Classification(nn.Module):
    """From a batch to its loss (eqs. 3 and 5); the constant input of the Hadamard layer is 10."""

    def __init__(self):
        super().__init__()
        self.encoder, self.classifier = embedding_model(), nn.Linear(2, CLASSES)
        self.centroids = nn.Parameter(torch.randn(CLASSES, 2) / 10)

    def forward(self, images, labels):
        latents = self.encoder(images)
        variance = (latents - 10 * self.centroids[labels]).square().sum(dim=1).mean()
        return F.cross_entropy(self.classifier(latents), labels) + 0.05 * variance


def class_centroids():
    """The regular simplex, which is what PEDCC converges to for 10 classes, on the sphere of radius sqrt(latent)."""
    simplex = torch.eye(CLASSES) - 1 / CLASSES
    return F.pad(F.normalize(simplex, dim=1) * math.sqrt(LATENT), (0, LATENT - CLASSES))


class Objective(nn.Module):
    """From a batch to its loss (eq. 10)."""

    def __init__(self, encoder, decoder, size):
        super().__init__()
        self.encoder, self.decoder, self.size = encoder, decoder, size
        self.register_buffer("centroids", class_centroids())

    def edge_power(self, images):
        """MS(Gx * x) + MS(Gy * x) of each image (eq. 9).

        As differences of smoothed slices: as a convolution from one channel to two, in PyTorch for CPU, this small term
        would take longer than all matrix products of csae-l together.
        """
        x = F.pad(images.view(-1, self.size, self.size), (1, 1, 1, 1))
        rows = x[:, :-2] + 2 * x[:, 1:-1] + x[:, 2:]
        columns = x[:, :, :-2] + 2 * x[:, :, 1:-1] + x[:, :, 2:]
        gx = rows[:, :, 2:] - rows[:, :, :-2]
        gy = columns[:, 2:] - columns[:, :-2]
        return (gx.square() + gy.square()).mean(dim=(1, 2))

    def forward(self, images, labels):
        latents = self.encoder(images)
        outputs = self.decoder(latents + NOISE * torch.randn_like(latents))
        centroid = F.mse_loss(latents, self.centroids[labels])
        reconstruction = F.mse_loss(outputs, images)
        sobel = (self.edge_power(outputs) - self.edge_power(images)).abs().mean()
        return centroid + reconstruction + SOBEL_WEIGHT * sobel


class VariationalModel(nn.Module):
    """From a batch to its loss: 784-400-20-400-784, ReLU inside, logits at the end."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(784, 400), nn.ReLU())
        self.mean, self.log_variance = nn.Linear(400, VAE_LATENT), nn.Linear(400, VAE_LATENT)
        self.decoder = nn.Sequential(nn.Linear(VAE_LATENT, 400), nn.ReLU(), nn.Linear(400, 784))

    def forward(self, images, labels):
        hidden = self.hidden(images)
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        outputs = self.decoder(mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean))
        with torch.autocast(images.device.type, enabled=False):
            reconstruction = F.binary_cross_entropy_with_logits(outputs.float(), images, reduction="sum")
        divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum()
        return (reconstruction + divergence) / len(images)


def pythae_trainer(digits, folder):
    """Pythae's trainer, with the same network, rate and batch size, on tensors in memory."""
    from pythae.data.datasets import BaseDataset
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    whole = VariationalModel()

    class Encoder(BaseEncoder):
        def __init__(self):
            super().__init__()
            self.hidden, self.mean, self.log_variance = whole.hidden, whole.mean, whole.log_variance

        def forward(self, x):
            hidden = self.hidden(x)
            return ModelOutput(embedding=self.mean(hidden), log_covariance=self.log_variance(hidden))

    class Decoder(BaseDecoder):
        def __init__(self):
            super().__init__()
            self.decoder = whole.decoder

        def forward(self, z):
            return ModelOutput(reconstruction=torch.sigmoid(self.decoder(z)))

    config = VAEConfig(input_dim=(784,), latent_dim=VAE_LATENT, reconstruction_loss="bce")
    settings = BaseTrainerConfig(
        output_dir=folder,
        num_epochs=1,
        per_device_train_batch_size=digits.batch_size,
        learning_rate=1e-3,
        optimizer_cls="Adam",
        no_cuda=True,
    )
    data = BaseDataset(digits.images.float() / 255, digits.labels)
    trainer = BaseTrainer(VAE(config, encoder=Encoder(), decoder=Decoder()), data, training_config=settings)
    trainer.prepare_training()
    return trainer


def build(model, variant, device):
    """The objective as this variant runs it, and its optimiser."""
    variant = variant.removeprefix(f"{precision_of(variant)}-")
    fused = variant not in PLAIN
    if model == "csae-l":
        objective = Objective(*linear_model(), size=28).to(device)
        optimizer = torch.optim.Adam(objective.parameters(), lr=1e-3, fused=fused)
    elif model in ("embedding-cnn", "vae"):
        objective = (Classification() if model == "embedding-cnn" else VariationalModel()).to(device)
        optimizer = torch.optim.Adam(objective.parameters(), lr=1e-3, fused=fused)
    else:
        objective = Objective(*convolutional_model(), size=32).to(device)
        # The paper's rate is 0.1; without a warm-up, batches of 128 diverge at that within ten steps.
        optimizer = torch.optim.SGD(objective.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4, fused=fused)
    if variant.endswith("channels-last"):
        objective = objective.to(memory_format=torch.channels_last)
    if variant.startswith("compile"):
        objective = torch.compile(objective, dynamic=False)
    return objective, optimizer


# --- timing ---


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=[*VARIANTS, "rate"], required=True, help="rate: that of matrix products")
    variants = "; ".join(f"{model}: {', '.join(names)}" for model, names in VARIANTS.items())
    parser.add_argument("--variant", default="eager", help=variants)
    parser.add_argument("--steps", type=int, default=200, help="timed steps; the median counts")
    parser.add_argument("--warmup", type=int, default=20, help="steps before the timed ones")
    parser.add_argument("--epochs", type=int, default=1, help="timed epochs; the median counts; 0 for none")
    data = os.environ.get("LATENTKIT_DATA")
    parser.add_argument("--data", default=data, help="folder that holds mnist/; else the shipped subset")
    parser.add_argument("--threads", type=int, help="(else PyTorch's choice)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    device = torch.device(options.device)
    # Float32 is Float32: unless told otherwise, PyTorch lets cuDNN round what convolutions multiply.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision_of(options.variant) == "tf32"
    if options.model == "rate":
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else None
        return print(json.dumps({"gigaflops": matrix_rate(device), "threads": torch.get_num_threads(), "device": name}))
    if options.variant not in VARIANTS[options.model]:
        parser.error(f"{options.model} has the variants {', '.join(VARIANTS[options.model])}")

    torch.manual_seed(1)
    torch.set_flush_denormal(options.variant not in PLAIN)
    digits = Digits(find_mnist(options.data), options.model)
    if options.variant == "pythae":
        return report(options, digits, [], time_pythae(digits, options.epochs))
    batches_of_epoch = digits.epoch
    if options.variant == "dataloader":
        loader = DataLoader(Examples(digits), batch_size=digits.batch_size, shuffle=True)
        batches_of_epoch = lambda: iter(loader)
    objective, optimizer = build(options.model, options.variant, device)
    if options.variant != "dataloader":
        digits.to(device)
    objective.train()

    def step(images, labels):
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        with torch.autocast(device.type, torch.bfloat16, enabled=precision_of(options.variant) == "bf16"):
            loss = objective(images, labels)
        loss.backward()
        optimizer.step()
        return loss.detach()

    # The last batch of an epoch is a short one: compile for its size too before anything is timed.
    remainder = len(digits.images) % digits.batch_size
    if remainder:
        step(*digits.batch(torch.arange(remainder, device=digits.images.device)))

    times = []
    loss = None
    while len(times) < options.warmup + options.steps:
        batches = batches_of_epoch()
        while len(times) < options.warmup + options.steps:
            start = time.perf_counter()
            batch = next(batches, None)
            if batch is None:
                break
            if len(batch[0]) == digits.batch_size:
                loss = step(*batch)
                # A GPU works behind: every so often it is waited for, as anyone who reads losses would, and where timing begins and ends.
                number = len(times) + 1
                if device.type == "cuda" and (number % 25 == 0 or number in (options.warmup, options.warmup + options.steps)):
                    torch.cuda.synchronize()
                times.append(time.perf_counter() - start)

    epochs = []
    for _ in range(options.epochs):
        start = time.perf_counter()
        for batch in batches_of_epoch():
            loss = step(*batch)
        loss.item()
        epochs.append(time.perf_counter() - start)
    report(options, digits, times[options.warmup :], epochs, loss)


def matrix_rate(device):
    """Billions of operations a second in products of matrices: the best of some."""
    a, b = torch.randn(2, 2048, 2048, device=device)
    best = math.inf
    for _ in range(20):
        start = time.perf_counter()
        c = a @ b
        c[0, 0].item()
        best = min(best, time.perf_counter() - start)
    return round(2 * 2048**3 / best / 1e9, 1)


def time_pythae(digits, count):
    """The seconds of epochs after a first one."""
    import contextlib
    import io
    import logging
    import tempfile

    logging.disable(logging.INFO)
    times = []
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        trainer = pythae_trainer(digits, folder)
        for epoch in range(1, count + 2 if count else 1):
            start = time.perf_counter()
            trainer.train_step(epoch)
            times.append(time.perf_counter() - start)
    return times[1:]


def report(options, digits, steps, epochs, loss=None):
    middle = statistics.mean if torch.device(options.device).type == "cuda" else statistics.median
    print(
        json.dumps(
            {
                "model": options.model,
                "variant": options.variant,
                "stepMilliseconds": round(1000 * middle(steps), 3) if steps else None,
                "epochSeconds": round(statistics.median(epochs), 3) if epochs else None,
                "images": len(digits.images),
                "loss": round(loss.item(), 4) if loss is not None else None,
                "threads": torch.get_num_threads(),
                "torch": torch.__version__,
            }
        )
    )


if __name__ == "__main__":
    main()
