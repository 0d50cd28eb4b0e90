"""Laws of attention: within heads, of separate layers, of transformers; what breaks them."""

import pytest
from laws import follow, kinds, obeyed, vectors

torch = pytest.importorskip("torch")

nn = torch.nn


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kdim", [None, 5])
def test_attention_within_heads(bias, kdim):
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(
                8, 2, bias=bias, batch_first=True, kdim=kdim, vdim=kdim
            )

        def forward(self, x):
            key = x if kdim is None else x[..., :kdim]
            return self.attention(x, key, key)[0]

    torch.manual_seed(0)
    record = follow(Attention(), vectors(4, 6, 8), lr=0.5)
    assert set(kinds(record)) == {
        "attention: queries, keys",
        "attention: values, outputs",
    }
    assert all(law.units == 8 and law.kind == "matrix" for law in record.laws)
    obeyed(record)


class Projections(nn.Module):
    """Attention written out, with grouped keys, and optionally a rotation by position."""

    def __init__(self, *, key_heads=4, rotary=False):
        super().__init__()
        self.num_heads, self.key_heads, self.rotary = 4, key_heads, rotary
        self.q_proj, self.o_proj = nn.Linear(8, 16), nn.Linear(16, 8)
        self.k_proj, self.v_proj = nn.Linear(8, 4 * key_heads), nn.Linear(8, 4 * key_heads)

    def turn(self, x):
        if not self.rotary:
            return x
        angle = torch.arange(x.shape[2], dtype=x.dtype)[:, None] * torch.tensor([1.0, 0.3]).to(x)
        one, two = x[..., :2], x[..., 2:]
        return torch.cat(
            [one * angle.cos() - two * angle.sin(), one * angle.sin() + two * angle.cos()], -1
        )

    def forward(self, x):
        batch, length, _ = x.shape
        q, k, v = (
            layer(x).view(batch, length, -1, 4).transpose(1, 2)
            for layer in (self.q_proj, self.k_proj, self.v_proj)
        )
        repeats = 4 // self.key_heads
        k, v = (item.repeat_interleave(repeats, dim=1) for item in (k, v))
        out = nn.functional.scaled_dot_product_attention(self.turn(q), self.turn(k), v)
        return self.o_proj(out.transpose(1, 2).reshape(batch, length, 16))


@pytest.mark.parametrize("key_heads", [4, 2, 1])
def test_attention_of_separate_layers(key_heads):
    torch.manual_seed(0)
    record = follow(Projections(key_heads=key_heads), vectors(3, 5, 8), lr=0.5)
    assert set(kinds(record)) == {"q_proj, k_proj", "v_proj, o_proj"}
    obeyed(record)


def test_rotary_positions_break_the_law_of_queries_and_keys():
    """Negative control: only rotations commute with a rotation by position."""
    torch.manual_seed(0)
    record = follow(Projections(rotary=True), vectors(3, 5, 8), lr=0.5)
    assert set(kinds(record)) == {"v_proj, o_proj"}
    assert "does not obey" in dict(record.without)["q_proj, k_proj"]


def test_given_attention():
    torch.manual_seed(0)
    pairs = [("q_proj", "k_proj", "query_key", 4), ("v_proj", "o_proj", "value_output", 4)]
    obeyed(follow(Projections(), vectors(3, 5, 8), lr=0.5, pairs=pairs))
    wrong = [("q_proj", "k_proj", "query_key", 1)]
    record = follow(Projections(), vectors(3, 5, 8), lr=0.5, pairs=wrong)
    assert not record.laws
    assert "does not obey" in record.without[0][1]


def test_transformer_layers_of_pytorch():
    torch.manual_seed(0)
    for activation, pair in (("relu", True), ("gelu", False)):
        layer = nn.TransformerEncoderLayer(
            8, 2, 16, dropout=0.1, activation=activation, batch_first=True
        )
        record = follow(layer, vectors(4, 6, 8))
        assert ("linear1 -> linear2" in kinds(record)) is pair
        assert pair or dict(record.without)["linear1"].startswith("gelu")
        assert {"self_attn: queries, keys", "self_attn: values, outputs"} <= set(kinds(record))
