"""Whether attribution maps may be believed: arrays of maps and of answers in, Findings of kind "attribution" out.

Each test has three outcomes, "holds", "fails" and "undecided" (too few samples), in its facts; what does not hold is
a finding. `together` joins them. That all tests hold is no proof that a map is right; a failed one says that it is not.
"""

from linnet.introspect.attribution.completeness import completeness
from linnet.introspect.attribution.faithfulness import faithfulness
from linnet.introspect.attribution.sanity import sanity
from linnet.introspect.attribution.verdicts import together

__all__ = ["completeness", "faithfulness", "sanity", "together"]
