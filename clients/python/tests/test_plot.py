import matplotlib
import numpy as np
import pytest

import prospero
from prospero import plot
from prospero.values import Cursor, Run, Sample

matplotlib.use("agg")


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    matplotlib.pyplot.close("all")


def test_traces_draw_each_neuron_over_model_time():
    run = Run({"output.r": np.zeros((5, 1, 2))}, np.zeros(1), Cursor(0, 5), 5)
    axes = plot.traces(run, dt_ms=0.5)
    assert [line.get_label() for line in axes.lines] == ["output.r[0]", "output.r[1]"]
    assert np.allclose(axes.lines[0].get_xdata(), [0.5, 1.0, 1.5, 2.0, 2.5])


def test_a_loss_is_averaged_over_its_window():
    axes = plot.loss([1.0, 3.0, np.nan, 4.0, 5.0], dt_ms=1.0, window=2)
    assert np.allclose(axes.lines[0].get_ydata(), [2.0, 4.0])
    assert axes.get_yscale() == "log"


def test_samples_draw_the_scalars_of_a_stream():
    def sample(step):
        values = {"a.W.norm": np.array(float(step)), "a.W": np.zeros((2, 2))}
        return Sample(Cursor(0, step), values)

    axes = plot.samples(map(sample, range(3)), 2.0)
    assert len(axes.lines) == 1
    assert np.allclose(axes.lines[0].get_xydata(), [[0, 0], [2, 1], [4, 2]])


def test_weights_share_their_bins():
    axes = plot.weights({"a": np.zeros((2, 2)), "b": np.ones(3)}, bins=4)
    assert len(axes.patches) == 2


def test_histograms_that_the_server_counted_are_drawn_as_they_are():
    counts, edges = np.array([1.0, 2.0]), np.array([0.0, 0.5, 1.0])
    axes = plot.weights({"a.W.histogram": counts, "a.W.histogram_edges": edges})
    assert np.array_equal(axes.patches[0].get_data().values, counts)
    assert axes.get_legend_handles_labels()[1] == ["a.W"]


def test_a_run_can_be_read_by_name():
    run = Run({"output.r": np.zeros((5, 1, 2))}, np.zeros(1), Cursor(0, 5), 5)
    assert run["output.r"] is run.outputs["output.r"]
    assert prospero.Cursor(1, 2) < prospero.Cursor(2, 0)
