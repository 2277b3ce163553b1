"""When something is heard: posteriors of frames to events, how right events are, misses against false alarms.

Arrays and lists of times in milliseconds; knows no network, no task and no file of sound.
"""

from linnet.speech.activity.curves import Curve, Observed, det_curve, shifted
from linnet.speech.activity.events import Event, LiveEvents, Rule, events_of, smoothed
from linnet.speech.activity.rates import Rate, rate_an_hour
from linnet.speech.activity.scoring import Counts, frame_labels, matched, overlap_share, time_counts

__all__ = ["Counts", "Curve", "Event", "LiveEvents", "Observed", "Rate", "Rule", "det_curve", "events_of",
           "frame_labels", "matched", "overlap_share", "rate_an_hour", "shifted", "smoothed", "time_counts"]
