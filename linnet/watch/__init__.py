"""What happens after shipping: experiments on people who use it.

This room gathers: it reads tables of events and counts. What the counts show is said by `evidence`. It knows no torch.
"""

from linnet.watch import experiments

__all__ = ["experiments"]
