"""Deliberate mistakes in `monitor`: each must make the named test fail."""

import pytest

MUTANTS = {
    "bias left out of the law of a pair": (
        "monitor/_graph.py",
        '    if getattr(module, "bias", None) is not None:\n',
        '    if getattr(module, "bias", None) is True:\n',
        "tests/monitor/test_laws.py::test_biases_belong_to_the_first_layer",
    ),
    "all of the matrix conserved through an activation": (
        "monitor/_graph.py",
        '        path.matrix &= found != "unit"\n',
        "",
        "tests/monitor/test_laws.py::test_channels_of_convolutions",
    ),
    "laws taken on trust": (
        "monitor/_watched.py",
        "        if found > allowed:\n",
        "        if found > allowed + 9.0:\n",
        "tests/monitor/test_laws.py::test_what_does_not_commute_has_no_law_however_it_is_claimed",
    ),
    "mixed terms given to one part": (
        "monitor/_optimizers.py",
        "self.change, alpha=0.5, out=self.room)",
        "self.change, alpha=0.0, out=self.room)",
        "tests/monitor/test_identities.py::test_parts_add_up_to_the_measured_change",
    ),
    "nesterov's step taken for the buffer": (
        "monitor/_optimizers.py",
        "    if not settings.nesterov:\n",
        "    if settings.momentum:\n",
        "tests/monitor/test_identities.py::test_parts_add_up_to_the_measured_change",
    ),
    "leftover gradient counted as fresh": (
        "monitor/_step.py",
        "        update.fresh = update.fresh - update.leftover\n",
        "",
        "tests/monitor/test_training.py::test_a_leftover_gradient_is_detected",
    ),
    "heads mixed up in attention": (
        "monitor/_laws.py",
        "heads, -1).permute(1, 2, 0)",
        "-1, heads).permute(2, 1, 0)",
        "tests/monitor/test_attention.py::test_attention_within_heads",
    ),
    "random numbers of the training used": (
        "monitor/_undisturbed.py",
        "        with torch.random.fork_rng(devices=sorted(index or 0 for index in devices)):\n"
        "            yield\n",
        "        yield\n",
        "tests/monitor/test_training.py::test_losses_are_the_same_bits",
    ),
    "bias correction of the first moment forgotten": (
        "monitor/_optimizers.py",
        "update.scaled, update.factor = scaled, 1.0 / correction",
        "update.scaled, update.factor = scaled, 1.0",
        "tests/monitor/test_identities.py::test_the_first_step_of_adam_remembers_nothing",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_killed(name, kill):
    kill(*MUTANTS[name])
