"""How something was said: pitch, intensity, rhythm, hesitation, voice quality; numbers from sound, nothing learnt.

Measures are those of Praat, and are tested against it. Arrays in, values out.
"""

from linnet.speech.prosody.hesitation import filled_pauses
from linnet.speech.prosody.intensity import Intensity, intensity
from linnet.speech.prosody.measure import Prosody, measure
from linnet.speech.prosody.pitch import Pitch, pitch
from linnet.speech.prosody.quality import Quality, quality
from linnet.speech.prosody.rhythm import Rhythm, rhythm

__all__ = ["Intensity", "Pitch", "Prosody", "Quality", "Rhythm", "filled_pauses", "intensity", "measure", "pitch",
           "quality", "rhythm"]
