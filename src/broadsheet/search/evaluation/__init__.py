"""Measures search on judged queries through the real engine, and compares settings of it query by query."""

from . import report
from .collection import Collection, EvaluationError, Needs, read_collection, read_needs
from .comparison import Change, Paired, largest_changes, paired
from .measures import by_query, ndcg, quality, recall, reciprocal_rank, success
from .runs import Judged, Run, evaluate, judged_set, measured
from .settings import Setting

__all__ = [
    "Change",
    "Collection",
    "EvaluationError",
    "Judged",
    "Needs",
    "Paired",
    "Run",
    "Setting",
    "by_query",
    "evaluate",
    "judged_set",
    "largest_changes",
    "measured",
    "ndcg",
    "paired",
    "quality",
    "read_collection",
    "read_needs",
    "recall",
    "reciprocal_rank",
    "report",
    "success",
]
