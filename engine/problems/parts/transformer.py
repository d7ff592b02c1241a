"""A tiny transformer that predicts the next character at every position."""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

CONTEXT: Final = 64
"""Largest number of characters that the model sees."""


class CharTransformer(nn.Module):
    """Character numbers (b, t ≤ CONTEXT) -> logits of the next character (b, t, characters)."""

    def __init__(self, characters: int, width: int = 64, heads: int = 4, layers: int = 2) -> None:
        super().__init__()
        self.characters = nn.Embedding(characters, width)
        self.positions = nn.Parameter(torch.randn(CONTEXT, width) * 0.02)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, characters)

    def forward(self, inputs: Tensor) -> Tensor:
        embedded = self.characters(inputs) + self.positions[: inputs.shape[1]]
        logits: Tensor = self.head(self.norm(self.blocks(embedded)))
        return logits


class Block(nn.Module):
    """Causal self-attention and an MLP, each residual and preceded by a LayerNorm (pre-norm)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm, self.mlp_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self._attend(self.attention_norm(x))
        output: Tensor = x + self.mlp(self.mlp_norm(x))
        return output

    def _attend(self, x: Tensor) -> Tensor:
        parts = self.mix(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind()  # each (b, heads, t, width ÷ heads)
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        output: Tensor = self.project(mixed.transpose(1, 2).flatten(2))
        return output
