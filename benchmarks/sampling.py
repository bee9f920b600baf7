"""Speed of sampling: our GPT against transformers' GPT-2 and x-transformers, doing the same work on one thread.

Width 256, depth 4, 4 heads. After a prefill of 33 tokens, 256 are sampled one after the other from 1,024 entries, of which top-k leaves
128. Single precision, with a cache. GPT-2 runs twice: through its own `generate`, and in the shortest loop around it that we could write,
which leaves out its checks. The faster counts.

    python -m benchmarks.sampling [--rounds 9]
"""

import argparse
import statistics
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from benchmarks.measuring import interleave, machine, parameters, ratio, table
from dalle_edu.bricks.decoding import keep_top_k
from dalle_edu.bricks.gpt import GPTConfig, TextToImageGPT, sample_codes
from dalle_edu.bricks.guidance import guide

WIDTH, DEPTH, HEADS = 256, 4, 4
TEXT, GRID, VOCABULARY, TOP_K = 32, 16, 1024, 128
PREFILL, NEW = 1 + TEXT, GRID**2
GUIDANCE = 3.0
TARGET = 1.8  # times as fast as the faster peer
OURS, LOOP, GENERATE, X = "dalle_edu", "transformers GPT-2, our loop", "transformers GPT-2, generate", "x-transformers"

Sampler = Callable[[int, float], Tensor]


def our_sampler() -> tuple[TextToImageGPT, Sampler]:
    """Our GPT, and a function that samples from it."""
    config = GPTConfig(text_vocabulary=VOCABULARY, text_length=TEXT, num_codes=VOCABULARY, grid=GRID, width=WIDTH, depth=DEPTH, heads=HEADS)
    model = TextToImageGPT(config).eval()

    def sample(n: int, guidance_scale: float) -> Tensor:
        return sample_codes(model, captions(n, TEXT), torch.rand(n, NEW), guidance_scale=guidance_scale, top_k=TOP_K)

    return model, sample


def gpt2():
    """transformers' GPT-2 of the same shape, untrained."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=VOCABULARY, n_positions=PREFILL + NEW, n_embd=WIDTH, n_layer=DEPTH, n_head=HEADS,
        activation_function="gelu",  # as ours; its own gelu_new is slower
        bos_token_id=0, eos_token_id=None,
    )  # fmt: skip
    return GPT2LMHeadModel(config).eval()


@torch.inference_mode()
def gpt2_loop(model, tokens: Tensor, guidance_scale: float = 1.0, top_k: int = TOP_K) -> Tensor:
    """Tokens sampled from GPT-2, with its own cache and nothing else of transformers. Guidance doubles the batch."""
    from transformers import DynamicCache

    guided = guidance_scale != 1.0
    cache = DynamicCache(config=model.config)
    fed = torch.cat([tokens, torch.zeros_like(tokens)]) if guided else tokens
    drawn = []
    for _ in range(NEW):
        logits = model(input_ids=fed, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[:, -1]
        if guided:
            logits = guide(logits, guidance_scale)
        drawn.append(torch.multinomial(keep_top_k(logits, top_k).softmax(dim=-1), 1))
        fed = drawn[-1].repeat(2, 1) if guided else drawn[-1]
    return torch.cat(drawn, dim=1)


def gpt2_generate(model, tokens: Tensor, guidance_scale: float = 1.0, top_k: int = TOP_K) -> Tensor:
    """Tokens sampled from GPT-2 by its own `generate`."""
    options = {"guidance_scale": guidance_scale, "negative_prompt_ids": torch.zeros_like(tokens)} if guidance_scale != 1.0 else {}
    written = model.generate(
        tokens, attention_mask=torch.ones_like(tokens), max_new_tokens=NEW, min_new_tokens=NEW,
        do_sample=True, top_k=top_k, pad_token_id=0, **options,
    )  # fmt: skip
    return written[:, PREFILL:]


def x_transformers_sampler() -> tuple[torch.nn.Module, Sampler]:
    """A model of x-transformers of the same shape, and a function that samples from it, without guidance, which its wrapper lacks."""
    from x_transformers import AutoregressiveWrapper, Decoder, TransformerWrapper

    layers = Decoder(dim=WIDTH, depth=DEPTH, heads=HEADS, attn_dim_head=WIDTH // HEADS, attn_flash=True)
    model = AutoregressiveWrapper(TransformerWrapper(num_tokens=VOCABULARY, max_seq_len=PREFILL + NEW, attn_layers=layers)).eval()

    def sample(n: int, guidance_scale: float) -> Tensor:
        return model.generate(captions(n, PREFILL), NEW, filter_logits_fn="top_k", filter_kwargs={"k": TOP_K}, cache_kv=True)

    return model, sample


def captions(n: int, length: int) -> Tensor:
    """Random token numbers, none of them padding."""
    return torch.randint(1, VOCABULARY, (n, length))


def contenders() -> tuple[dict[str, torch.nn.Module], dict[str, Sampler]]:
    """Every contender's network, and a function of the batch size and the guidance scale that samples from it."""
    ours, sample_ours = our_sampler()
    theirs = gpt2()
    x, sample_x = x_transformers_sampler()
    samplers: dict[str, Sampler] = {
        OURS: sample_ours,
        LOOP: lambda n, guidance_scale: gpt2_loop(theirs, captions(n, PREFILL), guidance_scale),
        GENERATE: lambda n, guidance_scale: gpt2_generate(theirs, captions(n, PREFILL), guidance_scale),
        X: sample_x,
    }
    return {OURS: ours, LOOP: theirs, GENERATE: theirs, X: x}, samplers


def check(models: dict[str, torch.nn.Module], samplers: dict[str, Sampler]) -> None:
    """Raise `RuntimeError` unless all sample as many tokens, and our loop around GPT-2 gives the same as GPT-2's own where only the
    likeliest token may be taken.
    """
    for name, sample in samplers.items():
        if sample(1, 1.0).shape != (1, NEW):
            raise RuntimeError(f"{name} did not draw {NEW} tokens")
    tokens = captions(2, PREFILL)
    if not torch.equal(gpt2_loop(models[LOOP], tokens, top_k=1), gpt2_generate(models[LOOP], tokens, top_k=1)):
        raise RuntimeError("our loop around GPT-2 and GPT-2's own disagree: the comparison would be unfair")


def measure(rounds: int = 9) -> str:
    """A table of CPU seconds, whose last lines say how many times as fast ours is."""
    torch.manual_seed(0)
    models, samplers = contenders()
    check(models, samplers)
    columns: dict[str, dict[str, list[float]]] = {}
    for guidance_scale in (1.0, GUIDANCE):
        for n in (1, 4):
            playing = [name for name in samplers if guidance_scale == 1.0 or name != X]
            runs = {name: partial(samplers[name], n, guidance_scale) for name in playing}
            columns[f"batch {n}" + (", guided" if guidance_scale != 1.0 else "")] = interleave(runs, rounds)
    rows = [
        [name, parameters(models[name])]
        + [f"{statistics.median(seconds[name]):.3f}" if name in seconds else "—" for seconds in columns.values()]
        for name in samplers
    ]
    rows.append([f"{OURS}, times as fast as the faster peer", "", *(lead(seconds, (LOOP, GENERATE, X)) for seconds in columns.values())])
    rows.append([f"{OURS}, times as fast as the faster generate", "", *(lead(seconds, (GENERATE, X)) for seconds in columns.values())])
    return table(["CPU seconds", "parameters", *columns], rows)


def lead(seconds: dict[str, list[float]], peers: tuple[str, ...]) -> str:
    """How many times as fast ours is as the fastest of these peers, in words."""
    fastest = min((seconds[peer] for peer in peers if peer in seconds), key=statistics.median)
    return f"{ratio(seconds[OURS], fastest):.2f} ×"


def main() -> None:
    """`python -m benchmarks.sampling [--rounds N]`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="rounds in which every contender runs once (9)")
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    print(f"{machine()}\n\n{measure(rounds)}\n\nThe aim is {TARGET} times as fast as the faster peer at batch 1 and at batch 4.")


if __name__ == "__main__":
    main()
