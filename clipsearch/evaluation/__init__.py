"""How good an index's model is on its own pictures: measured, not promised.

    import clipsearch
    from clipsearch.evaluation import Truth, evaluate

    with clipsearch.open("photos.index") as index:
        found = evaluate(index, Truth(judgments=Path("judgments.tsv")))
    print(found.retrieval.text_to_image.measures["R@5"])

`evaluate` measures an index, `compare_models` several models on a sample of its pictures, `write_report` writes what
was found as a page. `clipsearch.evaluation.metrics` has the measures as functions of arrays.
"""

from clipsearch.evaluation.comparison import compare_models
from clipsearch.evaluation.figures import FIGURES, below, bounds, figures
from clipsearch.evaluation.judgments import Truth
from clipsearch.evaluation.report.page import write_report
from clipsearch.evaluation.run import evaluate
from clipsearch.evaluation.types import PARTS, Evaluation, ModelMeasures, Part

__all__ = [
    "FIGURES",
    "PARTS",
    "Evaluation",
    "ModelMeasures",
    "Part",
    "Truth",
    "below",
    "bounds",
    "compare_models",
    "evaluate",
    "figures",
    "write_report",
]
