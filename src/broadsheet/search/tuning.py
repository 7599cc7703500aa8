"""What of the engine can be tuned, with its defaults; `broadsheet eval --set NAME=VALUE` compares others."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tuning:
    """Settings of ranking. The figures behind the defaults are in docs/search.md."""

    # The share of meaning in a score where words are trusted wholly.
    meaning_weight: float = 0.57
    # Words are half trusted where the best papers by words are so near in meaning, of what the nearest are,
    # and the best one has so much of a perfect one's score for each e-fold of papers. The powers say how
    # quickly trust falls below and rises above.
    usual_agreement: float = 0.75
    agreement_power: float = 6.0
    usual_coverage: float = 0.03
    coverage_power: float = 4.0
    # Where the best paper by words has so much of a perfect one's score, words are trusted wherever it lies.
    full_coverage: float = 0.5
    full_coverage_power: float = 6.0
    # What a paper has by words beyond the one at this place counts whether words are trusted or not.
    standing_out: int = 3
    # A nearest paper below this cosine is no full hit: a name or a made-up word is near to nothing, and
    # what it is least far from must not outrank the papers that hold it.
    full_cosine: float = 0.5
    # What shares no word with the query and is this far from its meaning has nothing to do with it.
    least_cosine: float = 0.2
    # Candidates of each side, and of how many of both the best sentence is looked at.
    candidates: int = 300
    rescored: int = 60
    # The share of the best sentence in what meaning says of a paper; 0 leaves sentences out.
    sentence_share: float = 0.5
    # Papers of nearly the same text and title stand behind the first of them.
    fold: bool = True
