"""What the trainings share: input tensors, the averaged weights, where to start, the pace,
and the options."""

import math
import os

import torch

from mobilevit import own_names
from safetensors_file import read_safetensors

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def normalise(x):
    mean, std = torch.tensor(MEAN).view(3, 1, 1), torch.tensor(STD).view(3, 1, 1)
    return (x - mean) / std


def to_input(batch):
    x = torch.from_numpy(batch).permute(0, 3, 1, 2).float() / 255
    return x.contiguous(memory_format=torch.channels_last)


class Average:
    """Exponential moving average of the weights, slower as training goes on."""

    def __init__(self, model, decay=0.999):
        self.decay, self.steps = decay, 0
        self.state = {k: v.detach().clone() for k, v in model.state_dict().items()}

    def update(self, model):
        self.steps += 1
        d = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for k, v in model.state_dict().items():
            if v.dtype.is_floating_point:
                self.state[k].lerp_(v.detach(), 1 - d)
            else:
                self.state[k].copy_(v)


def load_weights(model, path, prefix=""):
    """All tensors of the file that fit; a head of other classes starts afresh.  `prefix`:
    of the names of the model where those of the file have none, as of a backbone."""
    if path.endswith(".safetensors"):
        state = read_safetensors(path)[0]
    else:
        state = torch.load(path, map_location="cpu")
        state = state.get("average", state)
    own = model.state_dict()
    state = own_names(state, model)
    state = {k if k in own else prefix + k: v for k, v in state.items()}
    fits = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape}
    model.load_state_dict(fits, strict=False)
    print(f"{path}: {len(fits)} of {len(own)} tensors", flush=True)


def learning_rate(at, step, args):
    """at: 0..1 of all steps.  Warm-up, then half a cosine down to a hundredth."""
    return min(1, (step + 1) / args.warmup) * (0.01 + 0.495 * (1 + math.cos(math.pi * at)))


def parameter_groups(model, args):
    """Biases and norms do not decay; a backbone, which has learnt, goes slower than the
    head."""
    groups = []
    for backbone in (True, False):
        params = [p for n, p in model.named_parameters() if n.startswith("backbone") == backbone]
        rate = args.lr * (args.backbone_lr if backbone else 1)
        for decay, keep in ((0.05, lambda p: p.ndim > 1), (0.0, lambda p: p.ndim <= 1)):
            groups.append(dict(params=list(filter(keep, params)), weight_decay=decay,
                               lr=rate, initial_lr=rate))
    return groups


def set_pace(optimizer, epoch, step, steps, args):
    """Before step `step` of `steps` of an epoch; both from 0."""
    done = epoch * steps + step
    for group in optimizer.param_groups:
        rate = learning_rate(done / (args.epochs * steps), done, args)
        group["lr"] = group["initial_lr"] * rate


def resume(args, model, optimizer, average, g):
    """Epochs done before."""
    if not os.path.exists(args.out):
        return 0
    saved = torch.load(args.out)
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    average.state, average.steps = saved["average"], saved["steps"]
    g.set_state(saved["generator"])
    return saved["epoch"]


def save(path, model, average, optimizer, epoch, g, **more):
    """What resume() and export.py need; replaces the file at once or not at all."""
    saved = dict(
        model=model.state_dict(),
        average=average.state,
        steps=average.steps,
        optimizer=optimizer.state_dict(),
        epoch=epoch,
        generator=g.get_state(),
        **more,
    )
    torch.save(saved, path + ".part")
    os.replace(path + ".part", path)


def evaluated(average, model, measure):
    """What measure(model) says of the averaged weights; the model keeps its own."""
    keep = {k: v.clone() for k, v in model.state_dict().items()}
    model.load_state_dict(average.state)
    result = measure(model)
    model.load_state_dict(keep)
    return result


def learn(loss, model, optimizer, average, clip):
    """One step."""
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    average.update(model)


def add_options(ap, variants, variant, epochs, batch, lr, warmup):
    ap.add_argument("--data", required=True, help="folder of the data packs")
    ap.add_argument("--variant", default=variant, choices=variants, metavar="NAME")
    ap.add_argument("--epochs", type=int, default=epochs)
    ap.add_argument("--batch", type=int, default=batch)
    ap.add_argument("--lr", type=float, default=lr)
    ap.add_argument("--backbone-lr", type=float, default=0.5, help="as a share of --lr")
    ap.add_argument("--warmup", type=int, default=warmup, help="steps")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--threads", type=int, default=os.cpu_count())
    ap.add_argument("--init", help="weights to start from: a checkpoint or a model file")
    ap.add_argument("--out", help="checkpoint, written after each epoch")
    ap.add_argument("--evaluate", metavar="CHECKPOINT", help="measure and stop")


def start(ap):
    """The options, checked; seeds and threads are set."""
    args = ap.parse_args()
    if not args.out and not args.evaluate:
        ap.error("--out is needed to train")
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    return args
