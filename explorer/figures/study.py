"""An Optuna study in Optuna's own plots, dressed like the others."""

import warnings
from collections.abc import Callable, Mapping

import optuna
import plotly.graph_objects as go
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import FrozenTrial

from explorer.figures.style import GREY, axis, layout
from explorer.palette import ACCENT

_HOVER = "%{x:.4g}, %{y:.4g}<extra></extra>"  # Optuna's own repeats whatever a database holds of a trial


def importance(study: optuna.Study, objective: int, name: str, labels: Mapping[str, str]) -> go.Figure | None:
    """How much each knob, by its label, decides about one objective (its place and its name); None while that cannot be
    told.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # too few different values: then there is no figure
            figure = optuna.visualization.plot_param_importances(
                study, evaluator=PedAnovaImportanceEvaluator(), target=_value(objective), target_name=name
            )
    except (ValueError, RuntimeError):
        return None
    (bars,) = figure.data
    bars.update(y=[labels.get(knob, knob) for knob in bars.y], hovertemplate="%{y}: %{x:.2f}<extra></extra>")
    bars.update(marker={"color": ACCENT}, textposition="auto")
    return _dressed(figure, xaxis=axis(f"share of the importance for {name}"), yaxis=axis(""))


def history(study: optuna.Study, objective: int, name: str) -> go.Figure:
    """Each trial's value of one objective, in the order of the trials."""
    figure = optuna.visualization.plot_optimization_history(study, target=_value(objective), target_name=name)
    figure.update_traces(marker={"color": ACCENT, "size": 8}, line={"color": GREY}, hovertemplate=_HOVER)
    return _dressed(figure, xaxis=axis("trial"), yaxis=axis(name, type="log"))


def front(study: optuna.Study, first: tuple[int, str], second: tuple[int, str]) -> go.Figure:
    """The trials by two of the objectives (place and name); the best ones, by all objectives, stand out."""
    figure = optuna.visualization.plot_pareto_front(
        study,
        targets=lambda trial: (trial.values[first[0]], trial.values[second[0]]),
        target_names=[first[1], second[1]],
    )
    figure.update_traces(
        marker={"colorscale": "Viridis", "showscale": False, "size": 9}, text=None, hovertemplate=_HOVER
    )
    return _dressed(figure, xaxis=axis(first[1], type="log"), yaxis=axis(second[1], type="log"))


def _value(objective: int) -> Callable[[FrozenTrial], float]:
    return lambda trial: trial.values[objective]


def _dressed(figure: go.Figure, **more: object) -> go.Figure:
    figure.update_layout(layout(360, title={"text": ""}, **more))
    return figure
