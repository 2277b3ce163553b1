"""Many questions at once: who asks twenty is misled by one of them, unless it is reckoned with.

Corrections of p-values, e-values and levels; many sides against one reference; slices of a scored set; discovery and
confirmation. Knows nothing of what the questions are about.
"""

from linnet.evidence.many.against import Difference, Seeds, averaged_difference, compare
from linnet.evidence.many.corrections import (
    CORRECTIONS,
    benjamini_hochberg,
    benjamini_yekutieli,
    bonferroni,
    e_bh,
    false_coverage,
    holm,
)
from linnet.evidence.many.halves import halves
from linnet.evidence.many.slices import MINIMUM_ROWS, Slice, confirmed_slices, slices

__all__ = ["CORRECTIONS", "MINIMUM_ROWS", "Difference", "Seeds", "Slice", "averaged_difference", "benjamini_hochberg",
           "benjamini_yekutieli", "bonferroni", "compare", "confirmed_slices", "e_bh", "false_coverage", "halves",
           "holm", "slices"]
