"""The recipe is the script as YAML: step names are its variables, a step's keys the keywords of its verb.

Knows every room below; knows nothing about the command line.
"""

from linnet.recipe.contents import read
from linnet.recipe.looking import Asked, findings_in, look
from linnet.recipe.methods import Methods, bench_methods
from linnet.recipe.reading import Recipe, load
from linnet.recipe.run import Outcome, run
from linnet.recipe.starting import start
from linnet.recipe.verbs import VERBS

__all__ = ["VERBS", "Asked", "Methods", "Outcome", "Recipe", "bench_methods", "findings_in",
           "load", "look", "read", "run", "start"]
