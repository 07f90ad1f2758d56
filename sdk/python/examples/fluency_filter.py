"""A filter with a model that the recipe lends: all texts of a batch in one call of the host."""

from typing import Annotated

from djhost_sdk import KenLM, Param, filter


@filter(stat="python_log_probability", range=("min_score", None), columns=True)
def python_fluency_filter(
    text: str,
    *,
    model: Annotated[KenLM, Param("The language model.")],
    min_score: Annotated[float, Param("The least logarithm to base 10 of the probability of a text.", max=0)] = -2.3,
) -> float:
    """Keeps texts that a language model of KenLM finds probable."""
    return model.score(text)
