"""Which laws are found, and why there is none: every kind of layer, and what breaks it."""

import pytest
from laws import follow, kinds, obeyed, vectors

import thalweg as tw

torch = pytest.importorskip("torch")

nn = torch.nn


def images(channels=3, size=8):
    return torch.randn(
        10, channels, size, size, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )


CONVOLUTIONAL = {
    "relu": (
        nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 4, 3, padding=1)),
        {"0 -> 2": "diagonal"},
    ),
    "linear": (
        nn.Sequential(nn.Conv2d(3, 6, 3), nn.Conv2d(6, 4, 3, padding=1)),
        {"0 -> 1": "matrix"},
    ),
    "groups": (
        nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 4, 3, groups=2)),
        {"0 -> 2": "diagonal"},
    ),
    "depthwise": (
        nn.Sequential(nn.Conv2d(3, 6, 1), nn.Conv2d(6, 6, 3, groups=6), nn.Conv2d(6, 2, 1)),
        {"0 -> 1": "diagonal", "1 -> 2": "diagonal"},
    ),
    "pooling and flatten": (
        nn.Sequential(
            nn.Conv2d(3, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(54, 4)
        ),
        {"0 -> 4": "diagonal"},
    ),
    "mean pooling": (
        nn.Sequential(nn.Conv2d(3, 6, 3), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(54, 4)),
        {"0 -> 3": "matrix"},
    ),
    "transposed": (
        nn.Sequential(nn.ConvTranspose2d(3, 5, 3), nn.ReLU(), nn.ConvTranspose2d(5, 2, 3)),
        {"0 -> 2": "diagonal"},
    ),
}


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_channels_of_convolutions(name):
    torch.manual_seed(0)
    model, expected = CONVOLUTIONAL[name]
    record = follow(model.double(), images())
    assert kinds(record) == expected
    obeyed(record)


def test_normalizations_forget_the_scale():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 6, 3),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Conv2d(6, 4, 3),
        nn.GroupNorm(2, 4),
        nn.Flatten(),
        nn.Linear(64, 8),
        nn.LayerNorm(8),
        nn.ReLU(),
        nn.Linear(8, 5),
        nn.RMSNorm(5),
    )
    record = follow(model.double(), images())
    assert kinds(record) == {
        "0 | 1": "scale",
        "1 -> 3": "diagonal",
        "3 | 4": "scale",
        "4 -> 6": "diagonal",
        "6 | 7": "scale",
        "7 -> 9": "diagonal",
        "9 | 10": "scale",
    }
    # The epsilon of a normalization is the only first-order change, and it is told apart.
    for row in record.table.to_pylist():
        assert abs(row["defect"]) < 1e-2 * row["change"]
        assert abs(row["rounding"]) < 1e-6 * row["change"]
    assert any(abs(row["defect"]) > 1e-8 * row["change"] for row in record.table.to_pylist())


def test_a_normalization_by_fixed_numbers_has_no_law():
    """Negative control: in evaluation mode batch normalization is linear."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6), nn.Linear(6, 2)).double()
    model[1].eval()
    record = follow(model, vectors(20, 5))
    assert "0 | 1" not in kinds(record)
    assert "does not obey" in dict(record.without)["0 | 1"]


class Branches(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        self.fc1, self.fc2, self.fc3 = nn.Linear(5, 5), nn.Linear(5, 5), nn.Linear(5, 5)

    def forward(self, x):
        h = self.fc1(x)
        if self.kind == "residual":
            return self.fc3(h + self.fc2(torch.relu(h)))
        if self.kind == "two readers":
            return self.fc2(torch.relu(h)) + self.fc3(torch.relu(h))
        if self.kind == "twice":
            return self.fc2(torch.relu(self.fc1(torch.relu(h))))
        if self.kind == "gate":
            return self.fc3(h * torch.sigmoid(self.fc2(x)))
        return self.fc3(torch.tanh(h)) + self.fc2(x)


def test_a_residual_connection_leaves_no_law():
    record = follow(Branches("residual"), vectors(20, 5))
    assert not record.laws
    assert "residual connection" in dict(record.without)["fc1"]
    given = follow(Branches("residual"), vectors(20, 5), pairs=[("fc1", "fc2", "relu")])
    assert not given.laws
    assert "does not obey" in given.without[0][1]


def test_other_graphs():
    two = follow(Branches("two readers"), vectors(20, 5))
    assert kinds(two) == {"fc1 -> fc2 + fc3": "diagonal"}
    obeyed(two)
    assert "used 2 times" in dict(follow(Branches("twice"), vectors(20, 5)).without)["fc1"]
    assert "combines" in dict(follow(Branches("gate"), vectors(20, 5)).without)["fc1"]
    assert "tanh" in dict(follow(Branches("tanh"), vectors(20, 5)).without)["fc1"]


def test_what_does_not_commute_has_no_law_however_it_is_claimed(mlp):
    model = mlp(nn.Tanh)
    found = follow(model, vectors(20, 6))
    assert not found.laws
    assert "Tanh" in dict(found.without)["0"]
    claimed = follow(mlp(nn.Tanh), vectors(20, 6), pairs=[("0", "2", "relu")])
    assert not claimed.laws
    assert "does not obey" in claimed.without[0][1]


def test_an_activation_leaves_the_diagonal_only(mlp):
    """Negative control: claimed as linear, a pair with ReLU between is refused."""
    record = follow(mlp(nn.ReLU), vectors(20, 6), pairs=[("0", "2", "linear"), ("2", "4", "relu")])
    assert kinds(record) == {"2 -> 4": "diagonal"}


def test_dropout_leaves_the_diagonal():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 6), nn.Dropout(0.5), nn.Linear(6, 3)).double()
    record = follow(model, vectors(20, 5))
    assert kinds(record) == {"0 -> 2": "diagonal"}
    obeyed(record)


def test_biases_belong_to_the_first_layer(mlp, monkeypatch):
    """Negative control: without the bias the same law is not obeyed."""
    obeyed(follow(mlp(nn.ReLU), vectors(20, 6)))
    obeyed(follow(mlp(nn.ReLU, bias=False), vectors(20, 6)))
    import dataclasses

    from thalweg.monitor import _find

    whole = _find.pair_law

    def without_bias(source, path):
        law = whole(source, path)
        terms = tuple(term for term in law.terms if not term.parameter.endswith("bias"))
        return dataclasses.replace(law, terms=terms)

    monkeypatch.setattr(_find, "pair_law", without_bias)
    record = follow(mlp(nn.ReLU), vectors(20, 6))
    assert not record.laws


def test_parameters_that_are_not_free():
    torch.manual_seed(0)
    frozen = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3)).double()
    frozen[0].weight.requires_grad_(requires_grad=False)
    assert "not trained" in dict(follow(frozen, vectors(20, 5)).without)["0 -> 2"]
    tied = nn.Sequential(nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 2))
    tied[2].weight = tied[0].weight
    assert "tied" in dict(follow(tied.double(), vectors(20, 5)).without)["0 -> 2"]
    normed = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3)).double()
    nn.utils.parametrizations.weight_norm(normed[0])
    assert "parametrization" in dict(follow(normed, vectors(20, 5)).without)["0 -> 2"]
    apart = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3)).double()
    two = [torch.optim.SGD(apart[i].parameters(), lr=0.1) for i in (0, 2)]
    with tw.monitor.watch(apart, two) as m:
        assert "different optimizers" in dict(m.record.without)["0 -> 2"]
    with tw.monitor.watch(apart, two[0]) as m:
        assert "not all" in dict(m.record.without)["0 -> 2"]


def test_models_that_cannot_be_traced_are_looked_at_in_parts():
    class Branching(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3))
            self.last_seen = None

        def forward(self, x):
            self.last_seen = x
            return self.body(x) if x.sum() > -1e9 else self.body(-x)

    torch.manual_seed(0)
    model = Branching()
    record = follow(model, vectors(20, 5))
    assert kinds(record) == {"body: 0 -> 2": "diagonal"}
    assert "cannot be traced" in dict(record.without)["model"]
    obeyed(record)


def test_large_matrices_are_seen_by_their_diagonal_or_through_probes():
    torch.manual_seed(0)
    for probes in (None, 4, 80):
        model = nn.Sequential(nn.Linear(20, 80), nn.Linear(80, 3)).double()
        record = follow(model, vectors(30, 20), probes=probes)
        assert kinds(record) == {"0 -> 1": "matrix"}
        assert record.laws[0].partial is (probes != 80)
        obeyed(record)


def test_unusable_arguments(mlp):
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for options, words in (
        ({"every": 0}, "every"),
        ({"values_every": 1.5}, "values_every"),
        ({"max_records": 1}, "max_records"),
        ({"pairs": [("0", "9", "relu")]}, "no layer '9'"),
        ({"pairs": [("0", "2", "tanh")]}, "between"),
        ({"pairs": [("0", "2")]}, "pairs take"),
        ({"pairs": [("0", "4", "relu")]}, "does not read"),
        ({"pairs": [("1", "4", "relu")]}, "linear or convolution"),
        ({"pairs": [("0", "2", "query_key")]}, "number of heads"),
    ):
        with pytest.raises(tw.DataError, match=words):
            tw.monitor.watch(model, optimizer, **options)
    with pytest.raises(tw.DataError, match="torch"):
        tw.monitor.watch(3, optimizer)
    with pytest.raises(tw.DataError, match="Optimizer"):
        tw.monitor.watch(model, 3)


def test_functions_instead_of_modules():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 4, 3)
            self.three, self.four = nn.Linear(16, 5), nn.Linear(5, 2)
            self.side = nn.Linear(6, 2)

        def forward(self, x):
            h = nn.functional.relu(self.one(x))
            x = nn.functional.max_pool2d(h, 2)
            x = torch.flatten(
                nn.functional.leaky_relu(self.two(x[..., :2, :2].repeat(1, 1, 2, 2))), 1
            )
            return self.four(0.5 * self.three(x.view(x.size(0), -1)).relu()) + self.side(
                h.mean((2, 3))
            )

    torch.manual_seed(0)
    record = follow(Net(), images())
    assert kinds(record) == {"two -> three": "diagonal", "three -> four": "diagonal"}
    assert "getitem" in dict(record.without)["one"]
    obeyed(record)
